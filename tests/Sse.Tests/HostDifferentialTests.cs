using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.Intrinsics;
using Iced.Intel;
using Vmm.Decoding;
using Xunit;

namespace Sse.Tests;

/// <summary>
/// Every instruction on registers, bit for bit against the host CPU: results, MXCSR, RFLAGS and whether it faults, for boundary and
/// random operands under random rounding, DAZ, FTZ and exception masks.
/// </summary>
public sealed class HostDifferentialTests(HostOracle oracle) : IClassFixture<HostOracle>
{
    private const int CasesPerInstruction = 8000;
    private const int CasesPerEncoding = 50;
    private const ulong ArithmeticFlags = 0x8D5;

    public static TheoryData<Code> Instructions() => new(InstructionForms.Computing().Where(code => !InstructionForms.IsReciprocal(code)));

    [Theory]
    [MemberData(nameof(Instructions))]
    public void AgreesWithHost(Code code)
    {
        List<string> failures = Compare(code, code, out _);
        Assert.True(failures.Count == 0, $"{failures.Count} of {CasesPerInstruction} differ:\n" + string.Join('\n', failures.Take(5)));
    }

    /// <summary>The canary: were the comparison blind, every test above would pass for nothing.</summary>
    [Fact]
    public void NoticesAWrongHandler()
    {
        Assert.True(Compare(Code.Addps_xmm_xmmm128, Code.Subps_xmm_xmmm128, out int faultCount).Count > CasesPerInstruction / 2);
        Assert.True(faultCount > CasesPerInstruction / 50, "unmasked exceptions were hardly tested");
        Assert.NotEmpty(Compare(Code.Comiss_xmm_xmmm32, Code.Ucomiss_xmm_xmmm32, out _));
        Assert.NotEmpty(Compare(Code.Cvtss2si_r32_xmmm32, Code.Cvttss2si_r32_xmmm32, out _));
    }

    /// <summary>Executes <paramref name="code"/> on the host and <paramref name="ours"/> by its handler.</summary>
    private List<string> Compare(Code code, Code ours, out int faultCount)
    {
        faultCount = 0;
        OperandSource operands = new((int)code);
        BareVcpu vcpu = new();
        HostCase[] inputs = new HostCase[CasesPerEncoding], expected = new HostCase[CasesPerEncoding];
        List<string> failures = [];
        for (int round = 0; round < CasesPerInstruction / CasesPerEncoding; round++)
        {
            byte immediate = operands.Byte();
            bool sameRegister = operands.Next(16) == 0;
            Instruction instruction = InstructionForms.Create(code, immediate, sameRegister);
            Instruction handled = InstructionForms.Create(ours, immediate, sameRegister);
            byte[] bytes = Encode(in instruction);
            for (int i = 0; i < inputs.Length; i++) inputs[i] = RandomCase(code, operands, bytes);
            inputs.CopyTo(expected, 0);
            oracle.Execute(expected);

            Assert.True(BareVcpu.TryDecode(in handled, out DecodedInstruction decoded), $"{ours} is not bound");
            for (int i = 0; i < inputs.Length; i++)
            {
                HostCase actual = inputs[i];
                vcpu.Execute(in decoded, ref actual);
                faultCount += (int)expected[i].Faulted;
                string difference = Difference(in expected[i], in actual);
                if (difference.Length != 0) failures.Add($"{instruction}\n  in:   {Format(in inputs[i])}\n{difference}");
            }
        }

        return failures;
    }

    private static byte[] Encode(in Instruction instruction)
    {
        ListWriter writer = new();
        Encoder.Create(64, writer).Encode(in instruction, 0);
        return [.. writer.Bytes];
    }

    private static HostCase RandomCase(Code code, OperandSource operands, byte[] bytes)
    {
        HostCase hostCase = default;
        bool text = code.Mnemonic() is Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64
            or Mnemonic.Pcmpistri or Mnemonic.Pcmpistrm;
        for (int i = 0; i < 4; i++) hostCase.Xmm[i] = text ? operands.Text() : operands.Vector();
        // Equal operands are worth more than chance gives them.
        if (operands.Next(16) == 0) hostCase.Xmm[2] = hostCase.Xmm[1];
        (hostCase.Rax, hostCase.Rcx, hostCase.Rdx) = (operands.General(), operands.General(), operands.General());
        hostCase.Rflags = 0x202 | ((ulong)operands.Next(0x1000) & ArithmeticFlags);
        hostCase.Mxcsr = operands.Mxcsr();
        hostCase.Length = (byte)bytes.Length;
        for (int i = 0; i < bytes.Length; i++) hostCase.Code[i] = bytes[i];
        return hostCase;
    }

    private static string Difference(in HostCase expected, in HostCase actual)
    {
        bool same = expected.Mxcsr == actual.Mxcsr && expected.Faulted == actual.Faulted && expected.Rax == actual.Rax
            && expected.Rcx == actual.Rcx && expected.Rdx == actual.Rdx && (expected.Rflags & ArithmeticFlags) == actual.Rflags;
        for (int i = 0; i < 4; i++) same &= expected.Xmm[i] == actual.Xmm[i];
        return same ? "" : $"  host: {Format(in expected)}\n  ours: {Format(in actual)}";
    }

    private static string Format(in HostCase c) =>
        $"xmm0={Hex(c.Xmm[0])} xmm1={Hex(c.Xmm[1])} xmm2={Hex(c.Xmm[2])} mxcsr={c.Mxcsr:X4} rax={c.Rax:X} rcx={c.Rcx:X} rdx={c.Rdx:X} "
        + $"flags={c.Rflags & ArithmeticFlags:X} faulted={c.Faulted}";

    private static string Hex(Vector128<byte> v) => $"{v.AsUInt64().GetElement(1):X16}_{v.AsUInt64().GetElement(0):X16}";

    private sealed class ListWriter : CodeWriter
    {
        public List<byte> Bytes { get; } = [];

        public override void WriteByte(byte value) => Bytes.Add(value);
    }
}
