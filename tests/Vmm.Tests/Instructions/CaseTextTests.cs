using System.IO;
using Xunit;

namespace Vmm.Tests.Instructions;

/// <summary>The line format, and that a difference is seen.</summary>
public sealed class CaseTextTests
{
    private const string Imul = "48 0F AF C3 | Imul_r64_rm64 | rax=10 rbx=F -> rax=F0 pf,af,zf,sf=?";

    [Fact]
    public void ALineIsRead()
    {
        InstructionCase c = CaseText.Parse(Imul);
        Assert.Equal(64, c.Bitness);
        Assert.Equal([0x48, 0x0F, 0xAF, 0xC3], c.Bytes);
        Assert.Equal(0xFUL, c.Input.General[3]);
        Assert.Equal(0xF0UL, c.Expected.State.General[0]);
        Assert.Equal(CaseState.CodeStart + 4, c.Expected.State.Rip);
        Assert.Equal(CaseOutcome.Completed, c.Expected.Vector);
    }

    [Fact]
    public void AFaultIsRead()
    {
        InstructionCase c = CaseText.Parse("32: 8B 06 | Mov_r32_rm32 | esi=200FFD -> #PF(4) cr2=201000");
        Assert.Equal(32, c.Bitness);
        Assert.Equal(14, c.Expected.Vector);
        Assert.Equal(4U, c.Expected.ErrorCode);
        Assert.Equal(0x20_1000UL, c.Expected.FaultAddress);
        Assert.Equal(CaseState.CodeStart, c.Expected.State.Rip);
    }

    [Theory]
    [InlineData("48 0F AF C3 | Imul_r64_rm64")]
    [InlineData("48 0F AF C | Imul_r64_rm64 | ->")]
    [InlineData("90 | Nopd | rax=1")]
    [InlineData("90 | Nopd | rxx=1 ->")]
    [InlineData("90 | Nopd | rax=G ->")]
    [InlineData("90 | Nopd | [scratch+FFF]=0000 ->")]
    [InlineData("90 | Nopd | cf=2 ->")]
    [InlineData("90 | Nopd | -> #QQ")]
    public void ABadLineIsRefusedWithItsText(string line) =>
        Assert.Contains(line, Assert.Throws<InvalidDataException>(() => CaseText.Parse(line)).Message, System.StringComparison.Ordinal);

    /// <summary>The canary: each wrong result, however small, must be reported, and undefined flags must not.</summary>
    [Fact]
    public void AWrongResultIsSeen()
    {
        InstructionCase c = CaseText.Parse(Imul);
        CaseOutcome With(System.Action<CaseState> change)
        {
            CaseState state = c.Expected.State.Clone();
            change(state);
            return c.Expected with { State = state };
        }
        Assert.Equal("", c.Compare(With(_ => { })));
        Assert.Equal("", c.Compare(With(s => s.RFlags ^= Vmm.Cpu.RFlags.Sign)));
        Assert.Contains("r15", c.Compare(With(s => s.General[15] ^= 1UL << 63)), System.StringComparison.Ordinal);
        Assert.Contains("of", c.Compare(With(s => s.RFlags ^= Vmm.Cpu.RFlags.Overflow)), System.StringComparison.Ordinal);
        Assert.Contains("[scratch+FFF]", c.Compare(With(s => s.ScratchPage[0xFFF] ^= 1)), System.StringComparison.Ordinal);
        Assert.Contains("xmm7", c.Compare(With(s => s.Xmm[7] += 1)), System.StringComparison.Ordinal);
        Assert.Contains("mxcsr", c.Compare(With(s => s.Mxcsr ^= 0x20)), System.StringComparison.Ordinal);
        Assert.Contains("rip", c.Compare(With(s => s.Rip++)), System.StringComparison.Ordinal);
        Assert.Contains("#GP(0)", c.Compare(c.Expected with { Vector = 13 }), System.StringComparison.Ordinal);
    }
}
