namespace Vmm.Tests.Privileged;

/// <summary>Code that runs from a state until HLT at CPL 0.</summary>
/// <param name="Name">What it does, for messages.</param>
/// <param name="State">The state that it starts from.</param>
internal sealed record Scenario(string Name, SystemState State)
{
    /// <summary>Flags that the SDM leaves undefined at the end.</summary>
    public ulong UndefinedFlags { get; init; }

    /// <summary>Only a CPU answers it right: where KVM virtualizes without hardware help (by paging tricks and an emulator), it does not.</summary>
    public bool NeedsHardware { get; init; }
}
