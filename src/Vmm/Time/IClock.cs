namespace Vmm.Time;

/// <summary>The guest's time. It passes with retired instructions (virtual clock) or follows the host's (host clock), never both.</summary>
public interface IClock
{
    /// <summary>Guest time since reset, in nanoseconds, exact at the instruction that asks.</summary>
    ulong NowNanoseconds { get; }
}
