using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.Intrinsics;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Paging;
using Xunit;

namespace Sse.Tests;

/// <summary>Every instruction with a memory operand against the host CPU: results, stored bytes, #GP where it must be aligned.</summary>
public sealed class MemoryFormTests(HostOracle oracle) : IClassFixture<HostOracle>
{
    private const int Rounds = 20, CasesPerRound = 50;

    public static TheoryData<Code> Instructions() => new(InstructionForms.WithMemory().Where(code => !InstructionForms.IsReciprocal(code)));

    [Theory]
    [MemberData(nameof(Instructions))]
    public void AgreesWithHost(Code code)
    {
        OperandSource operands = new((int)code);
        using MemoryVcpu vcpu = new();
        HostCase[] inputs = new HostCase[CasesPerRound], expected = new HostCase[CasesPerRound];
        List<string> failures = [];
        for (int round = 0; round < Rounds; round++)
        {
            Instruction instruction = InstructionForms.CreateWithMemory(code, operands.Byte());
            byte[] bytes = HostCases.Encode(in instruction);
            for (int i = 0; i < inputs.Length; i++)
            {
                inputs[i] = HostCases.Random(code, operands, bytes);
                int misalignment = operands.Next(3) == 0 ? operands.Next(16) : 0;
                inputs[i].Misalignment = (ulong)misalignment;
                // Else hardly any operand of LDMXCSR would be valid.
                if (operands.Next(2) == 0) inputs[i].Memory[misalignment + 2] = inputs[i].Memory[misalignment + 3] = 0;
            }

            inputs.CopyTo(expected, 0);
            oracle.Execute(expected);

            Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded), $"{code} is not bound");
            for (int i = 0; i < inputs.Length; i++)
            {
                HostCase actual = inputs[i];
                vcpu.Execute(in decoded, ref actual);
                string difference = HostCases.Difference(in expected[i], in actual);
                if (difference.Length != 0) failures.Add($"{instruction}\n  in:   {HostCases.Format(in inputs[i])}\n{difference}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {Rounds * CasesPerRound} differ:\n" + string.Join('\n', failures.Take(5)));
    }

    /// <summary>MASKMOVDQU stores the selected bytes only, and touches no page that it stores nothing to.</summary>
    [Fact]
    public void MaskmovdquStoresSelectedBytes()
    {
        using MemoryVcpu machine = new();
        Vcpu vcpu = machine.Vcpu;
        Instruction instruction = Instruction.CreateMaskmovdqu(64, Register.XMM1, Register.XMM2);
        Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded));
        vcpu.State.XmmAs<byte>(1) = Vector128<byte>.Indices + Vector128<byte>.One;
        vcpu.State.XmmAs<byte>(2) = Vector128.Create(0x80, 0x7F, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)0x80);
        vcpu.State.Rdi = 0x2FF8;
        Assert.Equal(Completion.Next, decoded.Handler.Invoke(vcpu, in decoded));
        Span<byte> stored = stackalloc byte[16];
        machine.Memory.Read(new GuestPhysicalAddress(0x2FF8), stored);
        Assert.Equal([1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16], stored.ToArray());
    }

    [Theory]
    [InlineData(0x80, Completion.Next)]
    [InlineData(0x8000, Completion.Fault)]
    [InlineData(0x8001, Completion.Fault)]
    public void MaskmovdquFaultsWhereItStores(int mask, Completion expected)
    {
        using MemoryVcpu machine = new();
        Vcpu vcpu = machine.Vcpu;
        EnablePagingWithHole(machine);
        Instruction instruction = Instruction.CreateMaskmovdqu(64, Register.XMM1, Register.XMM2);
        Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded));
        vcpu.State.XmmAs<byte>(1) = Vector128.Create((byte)0xAA);
        for (int i = 0; i < 16; i++)
            vcpu.State.XmmAs<byte>(2) = vcpu.State.XmmAs<byte>(2).WithElement(i, (byte)((mask >> i & 1) * 0x80));
        vcpu.State.Rdi = 0x4FF8;
        Assert.Equal(expected, decoded.Handler.Invoke(vcpu, in decoded));
        ulong stored = expected == Completion.Next ? 0xAA00_0000_0000_0000 : 0;
        Assert.Equal(stored, machine.Memory.Read<ulong>(new GuestPhysicalAddress(0x4FF8)));
        if (expected == Completion.Fault) Assert.Equal(new PendingException(Vmm.Cpu.Vector.PageFault, 2, 0x5007), vcpu.PendingException);
    }

    /// <summary>An unaligned store over the end of a page stores nothing when the next page is not there.</summary>
    [Fact]
    public void StoreAcrossPagesIsAllOrNothing()
    {
        using MemoryVcpu machine = new();
        EnablePagingWithHole(machine);
        Instruction instruction = InstructionForms.CreateWithMemory(Code.Movups_xmmm128_xmm, 0);
        Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded));
        machine.Vcpu.State.XmmAs<byte>(2) = Vector128.Create((byte)0xAA);
        machine.Vcpu.State.Rsi = 0x4FF8;
        Assert.Equal(Completion.Fault, decoded.Handler.Invoke(machine.Vcpu, in decoded));
        Assert.Equal(new PendingException(Vmm.Cpu.Vector.PageFault, 2, 0x5000), machine.Vcpu.PendingException);
        Assert.Equal(0UL, machine.Memory.Read<ulong>(new GuestPhysicalAddress(0x4FF8)));
    }

    /// <summary>Alignment is checked before translation: a misaligned operand on an absent page is #GP, not #PF.</summary>
    [Fact]
    public void MisalignmentGoesBeforePageFault()
    {
        using MemoryVcpu machine = new();
        EnablePagingWithHole(machine);
        Instruction instruction = InstructionForms.CreateWithMemory(Code.Addps_xmm_xmmm128, 0);
        Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded));
        machine.Vcpu.State.Rsi = 0x5008;
        Assert.Equal(Completion.Fault, decoded.Handler.Invoke(machine.Vcpu, in decoded));
        Assert.Equal(new PendingException(Vmm.Cpu.Vector.GeneralProtection, 0), machine.Vcpu.PendingException);
    }

    /// <summary>32-bit paging, 64 KiB mapped one to one but for the page at 0x5000.</summary>
    private static void EnablePagingWithHole(MemoryVcpu machine)
    {
        const ulong directory = 0x1000, table = 0x2000;
        const uint presentWritable = 3;
        machine.Memory.Write(new GuestPhysicalAddress(directory), (uint)table | presentWritable);
        for (uint page = 0; page < 16; page++)
            machine.Memory.Write(new GuestPhysicalAddress(table + page * 4), page == 5 ? 0 : page << 12 | presentWritable);
        machine.Vcpu.State.Cr3 = directory;
        machine.Vcpu.State.Cr0 |= 1u << 31 | 1u << 16;
        machine.Vcpu.Mmu.Reload();
    }
}
