using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Introspection.Channels;
using Introspection.Programs;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>Channels, as text or as JSON.</summary>
/// <param name="output">Where to.</param>
/// <param name="symbols">Of the guest.</param>
/// <param name="isJson">For scripts.</param>
internal sealed class ChannelsText(TextWriter output, SymbolSet symbols, bool isJson)
{
    /// <summary>The channels at a moment.</summary>
    public void Moment(IReadOnlyList<ChannelView> all, Position at)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WritePosition("position", at);
                json.WriteObjects("channels", all, one => Write(json, one));
            });
            return;
        }
        output.WriteLine($"{Words.Plural(all.Count, "channel")} at {at}");
        foreach (ChannelView one in all)
        {
            string ends = one.Sender is { } sender && one.Receiver is { } receiver ? $"  vCPU {sender} -> vCPU {receiver}" : "";
            output.WriteLine();
            output.WriteLine($"{one.Channel.Name}{ends}  {MessageText.Of(one.State)}");
            if (one.Problem is { } problem) output.WriteLine($"  ! {problem}");
            output.WriteLine($"  {string.Join(", ", Counts(one))}");
            foreach (ChannelSlot slot in one.Slots.Where(static slot => slot.IsInFlight).OrderBy(static slot => slot.Sequence))
                output.WriteLine($"  message {slot.Sequence} in slot {slot.Index}: {MessageText.Of(slot.Contents)}");
        }
    }

    /// <summary>Messages and stalls, in order.</summary>
    public void History(ChannelHistory history, int limit)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteBoolean("isCut", history.IsCut || history.Messages.Count > limit || history.Stalls.Count > limit);
                json.WriteObjects("messages", history.Messages.Take(limit), message => Write(json, message));
                json.WriteObjects("stalls", history.Stalls.Take(limit), stall => Write(json, stall));
                WriteFindings(json, history, limit);
            });
            return;
        }
        int full = history.Stalls.Count(static one => one.IsFull);
        output.WriteLine($"{Words.Plural(history.Messages.Count, "message")}{(history.IsCut ? ", and more" : "")}, {Words.Plural(full, "stall")} for want of room, "
            + $"{Words.Count(history.Stalls.Count - full)} for want of a message");
        var lines = new List<(Position At, string Text)>();
        foreach (ChannelMessage one in history.Messages)
        {
            lines.Add((one.Published, $"vCPU {one.CpuIndex}  {one.Channel.Name} sends {one.Number}: {MessageText.Of(one.Contents)}"));
            if (one.Received is not { } at) continue;
            ulong later = at.InstructionCount - one.Published.InstructionCount;
            lines.Add((at, $"vCPU {one.ReceiverCpuIndex}  {one.Channel.Name} has read {one.Number}, {Words.Count(later)} instructions later"));
        }
        foreach (ChannelStall one in history.Stalls)
        {
            string until = one.End is { } end ? $" until {end}" : "";
            lines.Add((one.Begin, $"        {one.Channel.Name} {(one.IsFull ? "has no room" : "has no message")}{until}, looked {Words.Plural(one.Count, "time")}"));
        }
        PastLines.Write(output, lines, limit);
    }

    /// <summary>What was wrong.</summary>
    public void Findings(ChannelHistory history, int limit)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteNumber("findingCount", history.Findings.Count);
                WriteFindings(json, history, limit);
            });
            return;
        }
        if (history.Findings.Count == 0) output.WriteLine($"nothing wrong: {Words.Plural(history.Messages.Count, "message")}");
        foreach (ChannelFinding one in history.Findings.Take(limit))
        {
            ChannelMessage message = one.Message;
            output.WriteLine($"{one.At}  vCPU {message.CpuIndex} publishes message {message.Number} of {message.Channel.Name} in {CodeText.Of(message.Code, symbols)}");
            output.WriteLine($"  {MessageText.Explain(one)}");
        }
    }

    private static IEnumerable<string> Counts(ChannelView one)
    {
        if (one.Sent is { } sent) yield return $"{sent} sent";
        if (one.Received is { } received) yield return $"{received} read";
        if (one.Acknowledged is { } acknowledged) yield return $"{acknowledged} acknowledged";
        if (one.Credits is { } credits) yield return $"{Words.Plural(credits, "credit")}";
        if (one.FullStalls is { } full) yield return $"{full} times no room";
        if (one.EmptyStalls is { } empty) yield return $"{empty} times no message";
        yield return $"{Words.Plural(one.Slots.Count(static slot => slot.IsInFlight), "message")} under way";
    }

    private static void Write(Utf8JsonWriter json, ChannelView one)
    {
        json.WriteString("name", one.Channel.Name);
        json.WriteHexadecimal("address", one.Channel.Address);
        json.WriteString("state", one.State.ToString());
        Write("sender", one.Sender);
        Write("receiver", one.Receiver);
        Write("sent", one.Sent);
        Write("received", one.Received);
        Write("acknowledged", one.Acknowledged);
        if (one.Credits is { } credits) json.WriteNumber("credits", credits);
        Write("fullStalls", one.FullStalls);
        Write("emptyStalls", one.EmptyStalls);
        json.WriteObjects("slots", one.Slots, slot =>
        {
            json.WriteNumber("index", slot.Index);
            json.WriteHexadecimal("address", slot.Address);
            json.WriteNumber("sequence", slot.Sequence);
            json.WriteBoolean("isInFlight", slot.IsInFlight);
            json.WriteString("contents", MessageText.Of(slot.Contents));
        });
        if (one.Problem is { } problem) json.WriteString("problem", problem);

        void Write(string name, ulong? value)
        {
            if (value is { } number) json.WriteNumber(name, number);
        }
    }

    private void Write(Utf8JsonWriter json, ChannelMessage one)
    {
        json.WriteString("channel", one.Channel.Name);
        json.WriteNumber("number", one.Number);
        json.WriteNumber("slot", one.Slot);
        json.WritePosition("published", one.Published);
        json.WriteNumber("cpu", one.CpuIndex);
        json.WriteString("code", CodeText.Of(one.Code, symbols));
        json.WriteString("contents", MessageText.Of(one.Contents));
        if (one.LatePayload is { } late) json.WritePosition("latePayload", late);
        if (one.Received is not { } at) return;
        json.WritePosition("received", at);
        json.WriteNumber("receiverCpu", one.ReceiverCpuIndex ?? 0);
        if (one.ReceivedContents is { } contents) json.WriteString("receivedContents", MessageText.Of(contents));
    }

    private static void Write(Utf8JsonWriter json, ChannelStall one)
    {
        json.WriteString("channel", one.Channel.Name);
        json.WriteString("kind", one.IsFull ? "full" : "empty");
        json.WritePosition("begin", one.Begin);
        if (one.End is { } end) json.WritePosition("end", end);
        json.WriteNumber("count", one.Count);
    }

    private void WriteFindings(Utf8JsonWriter json, ChannelHistory history, int limit) => json.WriteObjects("findings", history.Findings.Take(limit), one =>
    {
        json.WriteString("kind", one.Kind.ToString());
        json.WritePosition("position", one.At);
        json.WriteString("text", MessageText.Explain(one));
        json.WriteStartObject("message");
        Write(json, one.Message);
        json.WriteEndObject();
    });
}
