using System.Collections.Generic;
using System.Linq;
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
            byte[] bytes = HostCases.Encode(in instruction);
            for (int i = 0; i < inputs.Length; i++) inputs[i] = HostCases.Random(code, operands, bytes);
            inputs.CopyTo(expected, 0);
            oracle.Execute(expected);

            Assert.True(BareVcpu.TryDecode(in handled, out DecodedInstruction decoded), $"{ours} is not bound");
            for (int i = 0; i < inputs.Length; i++)
            {
                HostCase actual = inputs[i];
                vcpu.Execute(in decoded, ref actual);
                faultCount += (int)expected[i].Faulted;
                string difference = HostCases.Difference(in expected[i], in actual);
                if (difference.Length != 0) failures.Add($"{instruction}\n  in:   {HostCases.Format(in inputs[i])}\n{difference}");
            }
        }

        return failures;
    }
}
