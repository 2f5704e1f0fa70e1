using System;
using System.Collections.Generic;
using System.Runtime.Intrinsics;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Replay.Replaying;
using Symbols.Expressions;
using Vmm.Cpu;
using Xunit;

namespace Introspection.Tests.Values;

/// <summary>Registers of the x87 and of SSE in expressions, and as places of variables.</summary>
public sealed class WideRegisterTests(Recordings recordings)
{
    // SDM 1, 4.2.2: 1.5, -2, the smallest denormal, infinity.
    private static readonly (ulong Significand, ushort SignExponent, double Value)[] s_numbers =
    [
        (0xC000_0000_0000_0000, 0x3FFF, 1.5), (0x8000_0000_0000_0000, 0xC000, -2), (0x8000_0000_0000_0000, 0x4009, 1024), (0x8000_0000_0000_0000, 0x7FFF, double.PositiveInfinity),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    public void The_stack_counts_from_its_top(int top)
    {
        using var replayer = new Replayer(recordings.File);
        GuestView view = Filled(replayer, top);
        var environment = new GuestEnvironment(view, new SymbolSet([], new GuestPrograms().Sources));
        for (int i = 0; i < s_numbers.Length; i++)
        {
            foreach (string text in (string[])[$"$st{i}", $"st{i}", $"$ST{i}"])
            {
                TypedValue value = CompiledExpression.Parse(text, environment).Evaluate(environment);
                Assert.Equal("long double", value.Type!.Name);
                Assert.Equal(s_numbers[i].Value, DoubleOf(text, environment));
            }
        }
        Assert.Equal(1022, DoubleOf("$st2 + $st1", environment));
        Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("$st8", environment).Evaluate(environment));
        Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("$ymm0", environment).Evaluate(environment));
    }

    [Fact]
    public void Vectors_have_lanes()
    {
        using var replayer = new Replayer(recordings.File);
        GuestView view = Filled(replayer, 0);
        view.Vcpu.State.Xmm[3] = Vector128.Create(1.5f, -2, 3, 4).AsUInt64();
        view.Vcpu.State.Xmm[15] = Vector128.Create(0.25, 1e300).AsUInt64();
        var environment = new GuestEnvironment(view, new SymbolSet([], new GuestPrograms().Sources));
        foreach ((string text, double expected) in (IEnumerable<(string, double)>)[("$xmm3.v4_float[0]", 1.5), ("xmm3.v4_float[1]", -2), ("$xmm3.v4_float[3]", 4),
            ("$xmm15.v2_double[0]", 0.25), ("$xmm15.v2_double[1]", 1e300), ("$xmm3.v4_int32[0]", BitConverter.SingleToInt32Bits(1.5f)), ("$xmm3.v16_int8[3]", 0x3f)])
            Assert.Equal(expected, DoubleOf(text, environment));
        Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("$xmm16", environment).Evaluate(environment));
        // Of frames that have called others they are not known, which is said.
        var outer = new GuestEnvironment(view, new SymbolSet([], new GuestPrograms().Sources)) { FrameRegister = static _ => null };
        Assert.Contains("has called another", CompiledExpression.Parse("$xmm3", outer).Evaluate(outer).Unavailable, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_in_such_registers_have_values()
    {
        using var replayer = new Replayer(recordings.File);
        GuestView view = Filled(replayer, 5);
        FrameRegisters registers = FrameRegisters.Of(view);
        for (int i = 0; i < s_numbers.Length; i++)
        {
            byte[] bytes = new byte[10];
            Assert.True(registers.TryReadVector((view.CodeSize == 64 ? 33 : 11) + i, bytes));
            Assert.Equal((s_numbers[i].Significand, s_numbers[i].SignExponent), (BitConverter.ToUInt64(bytes), BitConverter.ToUInt16(bytes, 8)));
            Assert.Equal($"st{i}", DwarfRegisters.NameOf(33 + i, is64: true));
            Assert.Equal($"st{i}", DwarfRegisters.NameOf(11 + i, is64: false));
        }
    }

    private static GuestView Filled(Replayer replayer, int top)
    {
        Vcpu vcpu = replayer.Machine.Vcpus[0];
        vcpu.State.X87Status = (ushort)(top << 11);
        for (int i = 0; i < s_numbers.Length; i++)
            vcpu.State.X87[(top + i) & 7] = new X87Register { Significand = s_numbers[i].Significand, SignExponent = s_numbers[i].SignExponent };
        return new GuestView(replayer.Machine, vcpu);
    }

    private static double DoubleOf(string text, GuestEnvironment environment)
    {
        byte[] bytes = new byte[8];
        Assert.True(CompiledExpression.Parse($"(double)({text})", environment).Evaluate(environment).TryRead(environment, bytes));
        return BitConverter.ToDouble(bytes);
    }
}
