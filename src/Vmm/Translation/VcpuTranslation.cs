using System;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>A vCPU as its generated code sees it: the room in its frame, and the limit of the run that is going on.</summary>
internal sealed class VcpuTranslation : IDisposable
{
    /// <summary>No block is longer, so that one which is entered with this much budget left ends before the limit.</summary>
    public const ulong Margin = Block.MaximumLength;

    private GCHandle _handle;

    public VcpuTranslation(Vcpu vcpu, Translator translator)
    {
        Vcpu = vcpu;
        Translator = translator;
        _handle = GCHandle.Alloc(this, GCHandleType.Weak);
        Room.Owner = GCHandle.ToIntPtr(_handle);
    }

    public Vcpu Vcpu { get; }
    public Translator Translator { get; }

    /// <summary>Where the run has to stop.</summary>
    public ulong Limit { get; set; }

    /// <summary>InstructionCount, after an instruction that was executed by its handler ended the code.</summary>
    public ulong Count { get; set; }

    /// <summary>That instruction faulted.</summary>
    public bool Faulted { get; set; }

    /// <summary>What a helper threw: it is thrown again once the code has been left.</summary>
    public Exception? Thrown { get; set; }

    public ref EngineRoom Room => ref HostPointer.Ref<EngineRoom>(Vcpu.Frame.Address);

    /// <summary>InstructionCount at the top of the block that is being executed.</summary>
    public ulong CountAtBlock => Limit - Margin - (ulong)Room.Budget;

    public static VcpuTranslation Of(nint frame)
    {
        ref EngineRoom room = ref HostPointer.Ref<EngineRoom>(frame);
        return (VcpuTranslation)GCHandle.FromIntPtr(room.Owner).Target!;
    }

    /// <summary>Code by address.</summary>
    public JumpCaches JumpCaches { get; } = new();

    public void Dispose()
    {
        if (_handle.IsAllocated) _handle.Free();
    }
}
