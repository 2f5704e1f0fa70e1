using Vmm.Platform;

namespace Replay.Queries;

/// <summary>Looks at a machine before and after each of its transitions, and picks some. Changes nothing. One thread's.</summary>
public interface ITransitionProbe
{
    /// <summary>The vCPU that matters. Turns of the others may be shown as one transition each; one that is picked is then shown again in full.</summary>
    int CpuIndex { get; }

    void Before(Machine machine);

    /// <summary>True: the transition since <see cref="Before"/> is one that is looked for.</summary>
    bool After(Machine machine);
}
