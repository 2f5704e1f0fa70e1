using System;
using System.Globalization;
using System.Text;
using System.Threading;
using Gdb.Memory;
using Gdb.Packets;
using Gdb.Running;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb.Sessions;

/// <summary>What gdb has no command for, behind its `monitor`. Every answer is text that ends with a newline.</summary>
internal sealed class MonitorCommands(DebuggedMachine machine)
{
    private const int MaxLastWriteSizeBytes = 1 << 20;

    private const string Help = """
        position              where in the recording this is
        seek POS              go to a position: 123456, 123456:2, 50%, start, end;
                              then `maintenance flush register-cache`, as gdb remembers what it has read
        return                drop a diversion and go back to where it left the recording
        lastwrite ADDR [SIZE] when memory was last written before now (linear hexadecimal address; 8 bytes if not said)
        walk ADDR             each step of the translation of a linear address
        exits                 how often the guest needed the VMM up to now, and why
        help                  this

        """;

    private static readonly string[] s_tableNames = ["", "PT", "PD", "PDPT", "PML4"];

    public string Run(string line, Vcpu vcpu, CancellationToken cancellation)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string verb = words.Length == 0 ? "help" : words[0];
        return (verb, words.Length) switch
        {
            ("help", _) => Help,
            ("position", 1) => Place() + "\n",
            ("seek", 2) => Seek(words[1], cancellation),
            ("return", 1) => machine.Return() ? $"back in the recording at {Place()}\n" : "this is the recording: there is no diversion to drop\n",
            ("lastwrite", 2 or 3) => LastWrite(words[1], words.Length > 2 ? words[2] : "8", cancellation),
            ("walk", 2) => TryAddress(words[1], out ulong linear) ? Walk(vcpu, linear) : NotAnAddress(words[1]),
            ("exits", 1) => Exits(),
            _ => $"'{line}' is no command of ttvm, or has the wrong number of arguments; `monitor help` lists them\n",
        };
    }

    private Timeline Timeline => machine.Timeline;

    private string Place()
    {
        Vcpu vcpu = machine.Machine.Vcpus[machine.Machine.CurrentCpuIndex];
        string at = machine.DivertedAt is { } origin ? $"{machine.Machine.Position} in a diversion from {origin}" : $"{Timeline.Position}";
        return $"position {at} of {Timeline.End}, vCPU {vcpu.Index} at 0x{LinearMemory.CodeAddress(vcpu):x}";
    }

    private string Seek(string text, CancellationToken cancellation)
    {
        try
        {
            Position target = PositionSyntax.Parse(text, Timeline.Start, Timeline.End);
            Timeline.Seek(target, null, cancellation);
        }
        catch (PositionSyntaxException e)
        {
            return e.Message + "\n";
        }
        machine.Return();
        return Place() + "\n";
    }

    private string LastWrite(string addressText, string sizeText, CancellationToken cancellation)
    {
        if (!TryAddress(addressText, out ulong address)) return NotAnAddress(addressText);
        if (!int.TryParse(sizeText, NumberStyles.None, CultureInfo.InvariantCulture, out int size) || size is < 1 or > MaxLastWriteSizeBytes)
            return $"'{sizeText}' is not a size: write a number of bytes from 1 to {MaxLastWriteSizeBytes}\n";
        Position origin = Timeline.Position;
        MachineEvent? found = Timeline.LastWrite(address, size, isPhysical: false, null, cancellation);
        Timeline.Seek(origin, null, CancellationToken.None);
        if (found is not { } write) return $"nothing has written 0x{address:x} since the start of the recording\n";
        return $"vCPU {write.CpuIndex} wrote 0x{write.Value:x} ({write.SizeBytes} bytes) at 0x{write.Address:x}, by the instruction at 0x{write.Rip:x}, "
            + $"position {write.At}\n`monitor seek {write.At}` goes there\n";
    }

    private string Walk(Vcpu vcpu, ulong linear)
    {
        PageWalk walk = LinearMemory.Walk(machine.Machine, vcpu, linear);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"vCPU {vcpu.Index}, {PagingControls.Of(vcpu.State).Mode} paging, CR3 {vcpu.State.Cr3:x}, linear {linear:x}\n");
        for (int i = 0; i < walk.StepCount; i++)
        {
            WalkStep step = walk.Steps[i];
            text.Append(CultureInfo.InvariantCulture, $"{s_tableNames[step.Level],-4} entry at physical {step.EntryAddress.Value:x} = {step.Entry:x}\n");
        }
        if (!walk.IsMapped)
            return text.Append(walk.ReservedBitSet ? "not mapped: a reserved bit is set\n" : "not mapped: the last entry is not present\n").ToString();
        string access = $"{(walk.User ? "user" : "supervisor")}, {(walk.Writable ? "writable" : "read-only")}, "
            + (walk.NoExecute ? "not executable" : "executable");
        return text.Append(CultureInfo.InvariantCulture, $"physical {walk.Physical:x}, page of {walk.PageSizeBytes >> 10} KiB, {access}\n").ToString();
    }

    private string Exits()
    {
        var text = new StringBuilder();
        for (int i = 0; i < (int)ExitReason.Count; i++)
        {
            ulong count = machine.Machine.Exits[(ExitReason)i];
            if (count > 0) text.Append(CultureInfo.InvariantCulture, $"{(ExitReason)i,-22} {count,12}\n");
        }
        return text.Length == 0 ? "none yet\n" : text.ToString();
    }

    private static bool TryAddress(string text, out ulong address)
    {
        string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return Hexadecimal.TryNumber(digits, out address);
    }

    private static string NotAnAddress(string text) => $"'{text}' is not an address: write it in hexadecimal, such as 0xffffffff81000000\n";
}
