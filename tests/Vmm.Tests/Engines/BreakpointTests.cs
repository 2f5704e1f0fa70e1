using System.Linq;
using Vmm.Cpu;
using Vmm.Memory;
using Xunit;

namespace Vmm.Tests.Engines;

/// <summary>Breakpoints are reported and change nothing: a run ends where it ends without them, in the middle of a REP too.</summary>
public sealed class BreakpointTests
{
    private const ulong Code = 0x1000, Target = 0x20000, Iterations = 5000;
    // Three times NOP, then REP STOSD, all in one block.
    private static readonly byte[] s_code = [0x90, 0x90, 0x90, 0xF3, 0xAB, 0xF4];

    [Theory]
    // On an instruction before the REP, on the REP itself, and none.
    [InlineData(new ulong[] { Code })]
    [InlineData(new ulong[] { Code + 1 })]
    [InlineData(new ulong[] { Code + 3 })]
    [InlineData(new ulong[] { Code, Code + 2, Code + 3 })]
    [InlineData(new ulong[0])]
    public void A_run_ends_within_a_REP_whatever_is_reported(ulong[] breakpoints)
    {
        foreach ((ulong limit, bool translates) in from limit in (ulong[])[1, 3, 4, 5, 40, 1003, 3 + Iterations] from translates in (bool[])[false, true] select (limit, translates))
        {
            using TestMachine machine = Machine(translates);
            machine.SetBreakpoints(breakpoints);
            Assert.Equal(limit, machine.Run(limit));
            ulong done = limit > 3 ? limit - 3 : 0;
            Assert.Equal(Iterations - done, machine.Vcpu.State.Rcx);
            Assert.Equal(Target + 4 * done, machine.Vcpu.State.Rdi);
            Assert.Equal(limit < 3 ? Code + limit : done < Iterations ? Code + 3 : Code + 5, machine.Vcpu.State.Rip);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_ends_within_a_REP_of_generated_code(bool known)
    {
        foreach (ulong limit in (ulong[])[1, 3, 4, 5, 40, 70, 1003, 1027, 4096, 3 + Iterations])
        {
            using TestMachine machine = Machine(translates: true);
            // Pages that the TLB knows take the host's own REP STOS, others the handler's.
            for (ulong page = Target; known && page < Target + 0x6000; page += 0x1000) Assert.True(machine.Vcpu.TryWrite(page, 0U));
            Assert.Equal(limit, machine.Run(limit));
            ulong done = limit > 3 ? limit - 3 : 0;
            Assert.Equal((Iterations - done, Target + 4 * done), (machine.Vcpu.State.Rcx, machine.Vcpu.State.Rdi));
            for (ulong i = 0; i <= done; i++)
                Assert.Equal(i < done ? 0x5A5A5A5AU : 0, machine.Memory.Read<uint>(new GuestPhysicalAddress(Target + 4 * i)));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_iteration_of_a_REP_is_reported_that_has_one(bool translates)
    {
        using TestMachine machine = Machine(translates);
        machine.SetBreakpoints(Code + 1, Code + 3);
        machine.Run(6);
        Assert.Equal([(Code + 1, 1UL), (Code + 3, 3UL), (Code + 3, 4UL), (Code + 3, 5UL)], machine.Bus.Breakpoints);
    }

    // In flat 32-bit segments without paging.
    private static TestMachine Machine(bool translates = false)
    {
        var machine = new TestMachine(1 << 20, translates ? 1 : 0);
        machine.Memory.Write(new GuestPhysicalAddress(Code), s_code);
        ref VcpuState s = ref machine.Vcpu.State;
        s = default;
        s.Cr0 = 0x11; // ET, PE
        for (int segment = 0; segment <= SegmentIndex.Gs; segment++)
            s.Segment(segment) = new SegmentRegister { Limit = uint.MaxValue, Selector = 0x10, AccessRights = 0xC093 };
        s.Segment(SegmentIndex.Cs) = new SegmentRegister { Limit = uint.MaxValue, Selector = 8, AccessRights = 0xC09B };
        s.Segment(SegmentIndex.Flat).Limit = uint.MaxValue;
        s.Rip = Code;
        s.Rax = 0x5A5A5A5A;
        s.Rcx = Iterations;
        s.Rdi = Target;
        s.WriteRFlags(2);
        machine.Reload();
        return machine;
    }
}
