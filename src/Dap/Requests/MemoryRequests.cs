using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Code;
using Introspection.Programs;

namespace Dap.Requests;

/// <summary>Memory as bytes and as instructions. Writing opens a diversion.</summary>
internal sealed class MemoryRequests
{
    private const int MaximumReadBytes = 4 << 20, MaximumInstructions = 10_000;

    private readonly Session _session;

    public MemoryRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<ReadMemoryArguments>(Commands.ReadMemory, Read);
        requests.Add<WriteMemoryArguments>(Commands.WriteMemory, Write);
        requests.Add<DisassembleArguments>(Commands.Disassemble, Disassemble);
    }

    private Answer Read(ReadMemoryArguments arguments)
    {
        MemoryPlace place = PlaceOf(arguments.MemoryReference, arguments.Offset);
        if (arguments.Count is < 0 or > MaximumReadBytes) throw new RequestException($"{arguments.Count} bytes cannot be read at once: at most {MaximumReadBytes}");
        GuestView view = _session.View;
        var bytes = new byte[arguments.Count];
        int count = view.Read(place, bytes);
        // What cannot be read ends where the next page that can begins, as far as it is asked for.
        int unreadable = count;
        while (unreadable < bytes.Length && view.MemoryAt(place, (ulong)unreadable) is null)
            unreadable += 0x1000 - (int)((place.Address + (ulong)unreadable) & 0xFFF);
        return Answer.Of(new ReadMemoryResponseBody
        {
            Address = place.ToString(), Data = count > 0 ? Convert.ToBase64String(bytes, 0, count) : null,
            UnreadableBytes = count < bytes.Length ? Math.Min(unreadable, bytes.Length) - count : null,
        });
    }

    private Answer Write(WriteMemoryArguments arguments)
    {
        MemoryPlace place = PlaceOf(arguments.MemoryReference, arguments.Offset);
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(arguments.Data);
        }
        catch (FormatException)
        {
            throw new RequestException("the data to write are not in base64");
        }
        if (!MemoryWriter.IsWritable(_session.View, place, bytes.Length) && arguments.AllowPartial != true)
            throw new RequestException($"not all of the {bytes.Length} bytes at {place} are memory");
        int count = MemoryWriter.Write(_session, place, bytes);
        return Answer.Of(new WriteMemoryResponseBody { BytesWritten = count }, () => MemoryWriter.Tell(_session, place, count));
    }

    private Answer Disassemble(DisassembleArguments arguments)
    {
        MemoryPlace place = PlaceOf(arguments.MemoryReference, arguments.Offset);
        if (place.IsPhysical) throw new RequestException("code is disassembled at linear addresses");
        long offset = arguments.InstructionOffset ?? 0;
        if (arguments.InstructionCount is < 0 or > MaximumInstructions || offset is < -MaximumInstructions or > MaximumInstructions)
            throw new RequestException($"at most {MaximumInstructions} instructions can be disassembled at once");
        var lines = new Disassembler(_session.View).Read(place.Address, offset, (int)arguments.InstructionCount);
        var instructions = new List<DisassembledInstruction>(lines.Count);
        SourcePosition? before = null;
        SymbolSet symbols = _session.Symbols;
        foreach (DisassembledLine line in lines)
        {
            // Only the first of a line's instructions says which; the client goes on with it.
            SourcePosition? source = line.IsValid ? symbols.LineOf(line.Address) : null;
            bool isNew = source is { } at && (before is not { } last || last.Path != at.Path || last.Line != at.Line);
            before = source;
            string? symbol = arguments.ResolveSymbols == true ? symbols.NameOf(line.Address, out ulong distance) is { } name && distance == 0 ? name : null : null;
            instructions.Add(new DisassembledInstruction
            {
                Address = Hexadecimal.Padded(line.Address, 64), Instruction = line.Text, InstructionBytes = line.Bytes.Length > 0 ? line.Bytes : null,
                Symbol = symbol, PresentationHint = line.IsValid ? null : "invalid",
                Location = isNew ? _session.Sources.Of(source!.Value.Path) : null, Line = isNew ? source!.Value.Line : null,
            });
        }
        return Answer.Of(new DisassembleResponseBody { Instructions = [.. instructions] });
    }

    private MemoryPlace PlaceOf(string reference, long? offset)
    {
        _ = _session.Timeline;
        if (MemoryPlace.TryParse(reference) is not { } place) throw new RequestException($"'{reference}' is not a memory reference: write an address such as 0xffffffff81000000");
        return place with { Address = place.Address + (ulong)(offset ?? 0) };
    }
}

/// <summary>Changes memory, in a diversion.</summary>
internal static class MemoryWriter
{
    public static bool IsWritable(in GuestView view, in MemoryPlace place, int count)
    {
        for (long done = 0; done < count; done += 0x1000 - (long)((place.Address + (ulong)done) & 0xFFF))
            if (view.MemoryAt(place, (ulong)done) is null) return false;
        return true;
    }

    /// <summary>Returns how many bytes were memory.</summary>
    public static int Write(Session session, in MemoryPlace place, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0 || session.View.MemoryAt(place, 0) is null) return 0;
        session.Divert();
        session.Programs.Refresh();
        return session.View.Write(place, bytes);
    }

    public static void Tell(Session session, in MemoryPlace place, int count)
    {
        if (count == 0) return;
        session.Send(Events.Memory, new MemoryEventBody { MemoryReference = place.ToString(), Offset = 0, Count = count });
        session.Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["all"] });
    }
}
