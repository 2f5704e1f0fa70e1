using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Cli.Hosting;
using Cli.Lockstep;
using Cli.Presentation;
using Introspection.Consoles;
using Replay.Log;
using Vmm.Platform;

namespace Cli.Comparison;

/// <summary>A comparison for programs, such as the extension's editor: with both sides' text.</summary>
internal static class ComparisonJson
{
    public static void Write(TextWriter output, RecordingComparison found, OpenRecording a, OpenRecording b) => JsonText.WriteObject(output, json =>
    {
        json.WriteBoolean("same", found.IsSame);
        Side(json, "a", a, found.Sides?.A);
        Side(json, "b", b, found.Sides?.B);
        json.WriteObjects("machine", found.Manifests, one =>
        {
            json.WriteString("name", one.Name);
            json.WriteString("a", one.A);
            json.WriteString("b", one.B);
        });
        json.WriteObjects("console", found.Consoles, one =>
        {
            json.WriteString("channel", one.Channel);
            json.WriteNumber("line", one.LineNumber);
            Line(json, "a", one.A);
            Line(json, "b", one.B);
        });
        if (found.Inputs is { } inputs) Inputs(json, inputs);
        States(json, found.States);
        if (found.Path is { } path) Path(json, path);
    });

    private static void Side(Utf8JsonWriter json, string name, OpenRecording recording, ComparedSide? side)
    {
        json.WriteStartObject(name);
        json.WriteString("file", recording.File.Path);
        json.WritePosition("end", recording.File.End);
        json.WriteString("outcome", recording.File.Outcome.Kind.ToString());
        if (side is not null)
        {
            json.WriteString("place", side.Place);
            json.WriteStartObject("registers");
            RegistersView.Write(json, side.Machine, side.Vcpu);
            json.WriteEndObject();
            json.WriteString("consoleText", side.Console());
            json.WriteString("registersText", side.Registers());
            json.WriteStartArray("trace");
            foreach (string line in side.Trace) json.WriteStringValue(line);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Line(Utf8JsonWriter json, string name, ConsoleLine? line)
    {
        if (line is not { } printed)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WritePosition("position", printed.At);
        json.WriteString("text", printed.Text);
        json.WriteEndObject();
    }

    private static void Inputs(Utf8JsonWriter json, InputDifference inputs)
    {
        json.WriteStartObject("inputs");
        json.WriteNumber("number", inputs.Number);
        json.WriteBoolean("isOnlyPosition", inputs.IsOnlyPosition);
        foreach ((string name, LogRecord? input) in ((string, LogRecord?)[])[("a", inputs.A), ("b", inputs.B)])
        {
            if (input is { } one) json.WritePosition($"{name}Position", one.At);
            json.WriteString(name, RecordedDifferences.Describe(input));
        }
        json.WriteEndObject();
    }

    private static void States(Utf8JsonWriter json, StateParting states)
    {
        json.WriteStartObject("state");
        json.WriteBoolean("isSameStart", states.IsSameStart);
        json.WritePosition("lastSame", states.LastSame);
        json.WritePosition("lastAlike", states.LastAlike);
        if (states.First is { } first)
        {
            json.WriteBoolean("isExact", first.IsExact);
            json.WritePosition("firstDifferent", first.After);
            json.WriteString("instruction", first.Instruction);
            json.WriteStartArray("differences");
            foreach (string line in first.Difference.Lines) json.WriteStringValue(line);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Path(Utf8JsonWriter json, PathComparison path)
    {
        json.WriteNumber("comparedInstructions", path.ComparedCount);
        if (path.Instruction is { } instruction)
        {
            json.WriteStartObject("instruction");
            Instruction(json, "a", instruction.A);
            Instruction(json, "b", instruction.B);
            json.WriteEndObject();
        }
        if (path.Turn is { } turn)
        {
            json.WriteStartObject("turn");
            Turn(json, "a", turn.A);
            Turn(json, "b", turn.B);
            json.WriteEndObject();
        }
        if (path.Call is not { } call) return;
        json.WriteStartObject("calls");
        json.WriteNumber("cpu", call.CpuIndex);
        if (call.Before is { } before) json.WriteString("before", before.Name);
        Calls(json, "a", call.A);
        Calls(json, "b", call.B);
        json.WriteEndObject();
    }

    private static void Instruction(Utf8JsonWriter json, string name, ExecutedInstruction? instruction)
    {
        if (instruction is not { } one)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WritePosition("position", one.At);
        json.WriteNumber("cpu", one.CpuIndex);
        json.WriteHexadecimal("address", one.Address);
        json.WriteEndObject();
    }

    private static void Turn(Utf8JsonWriter json, string name, Turn? turn)
    {
        if (turn is not { } one)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WriteNumber("instructionCount", one.InstructionCount);
        json.WriteNumber("from", one.From);
        json.WriteNumber("to", one.To);
        json.WriteString("reason", one.Reason.ToString());
        json.WriteEndObject();
    }

    private static void Calls(Utf8JsonWriter json, string name, IReadOnlyList<EnteredFunction> calls) => json.WriteObjects(name, calls, one =>
    {
        json.WriteString("function", one.Name);
        json.WritePosition("position", one.At);
    });
}
