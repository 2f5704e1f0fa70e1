using System;
using System.Collections.Generic;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Sse.Tests;

/// <summary>Making, comparing and showing cases.</summary>
internal static class HostCases
{
    private const ulong ArithmeticFlags = 0x8D5;

    public static byte[] Encode(in Instruction instruction)
    {
        ListWriter writer = new();
        Encoder.Create(64, writer).Encode(in instruction, 0);
        return [.. writer.Bytes];
    }

    public static HostCase Random(Code code, OperandSource operands, byte[] bytes)
    {
        HostCase hostCase = default;
        bool text = code.Mnemonic() is Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64
            or Mnemonic.Pcmpistri or Mnemonic.Pcmpistrm;
        for (int i = 0; i < 4; i++) hostCase.Xmm[i] = text ? operands.Text() : operands.Vector();
        for (int i = 0; i < 32; i += 16)
        {
            Vector128<byte> memory = text ? operands.Text() : operands.Vector();
            for (int j = 0; j < 16; j++) hostCase.Memory[i + j] = memory.GetElement(j);
        }

        // Equal operands are worth more than chance gives them.
        if (operands.Next(16) == 0) hostCase.Xmm[2] = hostCase.Xmm[1];
        (hostCase.Rax, hostCase.Rcx, hostCase.Rdx) = (operands.General(), operands.General(), operands.General());
        hostCase.Rflags = 0x202 | ((ulong)operands.Next(0x1000) & ArithmeticFlags);
        hostCase.Mxcsr = operands.Mxcsr();
        hostCase.Length = (byte)bytes.Length;
        for (int i = 0; i < bytes.Length; i++) hostCase.Code[i] = bytes[i];
        return hostCase;
    }

    /// <summary>Empty when the outcomes are the same.</summary>
    public static string Difference(in HostCase expected, in HostCase actual)
    {
        bool same = expected.Mxcsr == actual.Mxcsr && expected.Faulted == actual.Faulted && expected.Rax == actual.Rax
            && expected.Rcx == actual.Rcx && expected.Rdx == actual.Rdx && (expected.Rflags & ArithmeticFlags) == actual.Rflags;
        for (int i = 0; i < 4; i++) same &= expected.Xmm[i] == actual.Xmm[i];
        for (int i = 0; i < 32; i++) same &= expected.Memory[i] == actual.Memory[i];
        return same ? "" : $"  host: {Format(in expected)}\n  ours: {Format(in actual)}";
    }

    public static string Format(in HostCase c) =>
        $"xmm0={Hex(c.Xmm[0])} xmm1={Hex(c.Xmm[1])} xmm2={Hex(c.Xmm[2])} mxcsr={c.Mxcsr:X4} rax={c.Rax:X} rcx={c.Rcx:X} rdx={c.Rdx:X} "
        + $"flags={c.Rflags & ArithmeticFlags:X} memory={Convert.ToHexString(c.Memory)}+{c.Misalignment} faulted={c.Faulted}";

    private static string Hex(Vector128<byte> v) => $"{v.AsUInt64().GetElement(1):X16}_{v.AsUInt64().GetElement(0):X16}";

    private sealed class ListWriter : CodeWriter
    {
        public List<byte> Bytes { get; } = [];

        public override void WriteByte(byte value) => Bytes.Add(value);
    }
}
