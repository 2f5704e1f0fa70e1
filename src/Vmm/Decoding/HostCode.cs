using Vmm.Cpu;

namespace Vmm.Decoding;

/// <summary>Code of the host that was made from a block.</summary>
internal abstract class HostCode
{
    /// <summary>The block's bytes have changed: nobody may enter the code any more.</summary>
    public abstract void Discard();
}

/// <summary>How a run of generated code ended.</summary>
internal enum HostCodeStop
{
    /// <summary>Nothing was executed: the block is not warm, has no code, or the limit is too near.</summary>
    NotTaken,
    /// <summary>Between instructions: the limit is near, the machine wants to look, or no code is known for where it goes on.</summary>
    Boundary,
    /// <summary>An instruction faulted: Vcpu.PendingException is to be delivered; RIP is at the instruction.</summary>
    Fault,
}

/// <summary>Executes warm blocks faster than the interpreter, to the same effect.</summary>
internal interface ITranslator
{
    /// <summary>
    /// Executes from the block on, before <paramref name="limit"/>, if the block is warm and that is far enough; <paramref name="count"/> is InstructionCount, as in the interpreter.
    /// </summary>
    HostCodeStop TryRun(Vcpu vcpu, Block block, ref ulong count, ulong limit);
}
