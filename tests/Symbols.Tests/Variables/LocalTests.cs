using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Variables;
using Symbols.Elf;
using Symbols.Tests.Types;
using Symbols.Types;
using Symbols.Variables;
using Xunit;

namespace Symbols.Tests.Variables;

/// <summary>Variables of every frame at every stop of a real process, against gdb: the same names, the same values, the same ones optimized out.</summary>
public sealed class LocalTests
{
    [Theory]
    [InlineData("locals-O0")]
    [InlineData("locals-O2")]
    [InlineData("locals-O2-dwarf4")]
    [InlineData("locals-O3")]
    public void Values_are_what_gdb_says(string sample)
    {
        string path = TypeSamples.Get(sample);
        List<GdbStop> stops = GdbStops.Run(path);
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        var unwinder = new FrameUnwinder(image);
        var wrong = new List<string>();
        int count = 0, optimizedOut = 0;
        foreach (GdbStop stop in stops)
        {
            for (int i = 0; i < stop.Frames.Count;)
            {
                GdbFrame physical = stop.Frames[i];
                ulong pc = physical.Pc - stop.Bias - (i == 0 ? 0ul : 1);
                var context = new StopContext(stop, physical, pc, unwinder);
                foreach (SourceFrame frame in info.FramesAt(pc))
                {
                    GdbFrame theirs = stop.Frames[i++];
                    string[] ours = [.. info.VariablesOf(frame, pc).SelectMany(variable => Leaves(variable, context)).Distinct().Order(StringComparer.Ordinal)];
                    count += ours.Length;
                    optimizedOut += ours.Count(value => value.EndsWith("=optimized", StringComparison.Ordinal));
                    if (!ours.SequenceEqual(theirs.Values))
                        wrong.Add($"{theirs.Name} at 0x{pc:x}:\n  ours {string.Join(' ', ours)}\n  gdb  {string.Join(' ', theirs.Values)}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(count > 100, $"only {count} values");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {stops.Count} stops, {count} values, {optimizedOut} of them optimized out");
    }

    private static List<string> Leaves(DebugVariable variable, StopContext context)
    {
        var leaves = new List<string>();
        ValueLocation location = variable.Locate(context);
        ValueBytes value = ValueReader.Read(location, variable.Type.SizeBytes ?? 0, context);
        Split(variable.Name!, variable.Type.Stripped, value, 0, location, leaves);
        return leaves;
    }

    private static void Split(string path, DebugType type, ValueBytes value, ulong offset, ValueLocation location, List<string> leaves)
    {
        switch (type)
        {
            case RecordType record:
                foreach (RecordMember member in record.Members)
                    Split($"{path}.{member.Name}", member.Type.Stripped, value, offset + member.OffsetBytes, location, leaves);
                break;
            case ArrayType array:
                for (ulong i = 0; i < array.Count; i++)
                    Split($"{path}[{i}]", array.Element.Stripped, value, offset + (i * array.Element.SizeBytes!.Value), location, leaves);
                break;
            default:
                uint size = (uint)type.SizeBytes!.Value;
                ulong? bits = value.Problem is null ? ValueReader.BitField(value, offset * 8, size * 8, false) : null;
                string text = bits is not { } known ? value.Problem ?? "optimized"
                    : type is BaseType { IsFloat: true } ? BitConverter.UInt64BitsToDouble(known).ToString("0.0###", CultureInfo.InvariantCulture)
                    : known.ToString("x", CultureInfo.InvariantCulture);
                leaves.Add($"{path}={text}");
                break;
        }
    }
}
