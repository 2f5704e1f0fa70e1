using Introspection.Paging;
using Introspection.State;
using Replay.Queries;
using Vmm.Cpu;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>What a transition of a vCPU does to its frames.</summary>
internal enum FlowKind : byte
{
    /// <summary>Nothing: it stays in its function, or jumps.</summary>
    Other,
    /// <summary>An unconditional jump, which may be a call that needs not come back.</summary>
    Jump,
    /// <summary>A call, INT n or system call that went elsewhere.</summary>
    Call,
    /// <summary>RET.</summary>
    Return,
    /// <summary>IRET, SYSRET or SYSEXIT.</summary>
    InterruptReturn,
    /// <summary>The kernel's stack was exchanged for another one: another task goes on.</summary>
    StackSwitch,
    /// <summary>An interrupt or exception was delivered: the instruction was not done.</summary>
    Delivery,
}

/// <summary>One transition that concerns a vCPU.</summary>
/// <param name="CpuIndex">The vCPU.</param>
/// <param name="At">Where the machine stood before.</param>
/// <param name="After">Where it stood then.</param>
/// <param name="Code">Linear address of the vCPU's instruction before.</param>
/// <param name="Frame">In which frame, as far as a vCPU's registers tell.</param>
/// <param name="Kind">What happened.</param>
/// <param name="SizeBytes">Of the instruction.</param>
/// <param name="PoppedBytes">Of arguments that a return takes with it (RET n).</param>
internal readonly record struct FlowStep(int CpuIndex, Position At, Position After, ulong Code, FramePlace Frame, FlowKind Kind, int SizeBytes, ushort PoppedBytes)
{
    /// <summary>A procedure takes at most so many bytes of arguments with it when it returns, as far as one cannot see it.</summary>
    public const ulong MaximumPoppedBytes = 256;

    /// <summary>Where the instruction's successor lies.</summary>
    public ulong Next => Code + (ulong)SizeBytes;

    /// <summary>What was entered by this transition, when it comes back, can be at this place.</summary>
    /// <param name="code">Linear address.</param>
    /// <param name="frame">What the registers say there; RSP less what a return has popped of arguments.</param>
    public bool ComesBackAt(ulong code, in FramePlace frame) => frame.AddressSpace == Frame.AddressSpace && Kind switch
    {
        FlowKind.Call => code == Next && frame.Stack == Frame.Stack,
        // A handler may go back behind the instruction that it has dealt with.
        FlowKind.Delivery => frame.Stack == Frame.Stack && (code == Code || code == Next),
        _ => false,
    };
}

/// <summary>What tells one activation of code from another: where its stack is.</summary>
/// <param name="Stack">RSP.</param>
/// <param name="AddressSpace">
/// In user mode the page table's address, as two programs may have stacks at one address; 0 in the kernel, whose stacks all differ, and which may change the space.
/// </param>
internal readonly record struct FramePlace(ulong Stack, ulong AddressSpace)
{
    public static FramePlace Of(in VcpuState s) => new(s.Rsp, s.Cpl == 3 ? s.Cr3 & ~0xFFFUL : 0);

    /// <summary>Of a program's code that the kernel will go back to; its stack has yet to be said.</summary>
    public static FramePlace BelowKernel(in GuestView view, ulong code) => new(0, IsolatedTables.RootInUserMode(view, code));

    /// <summary>A breakpoint at an address in this frame.</summary>
    /// <param name="code">Linear address.</param>
    /// <param name="cpuIndex">The vCPU; null: any, as tasks move.</param>
    /// <param name="poppedBytes">RSP may be so much higher.</param>
    public StopCondition Breakpoint(ulong code, int? cpuIndex, ulong poppedBytes = 0) => StopCondition.Breakpoint(code) with
    {
        CpuIndex = cpuIndex, Stack = (Stack, Stack + poppedBytes), AddressSpace = AddressSpace == 0 ? null : AddressSpace,
    };
}
