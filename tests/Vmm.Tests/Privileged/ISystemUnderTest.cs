namespace Vmm.Tests.Privileged;

/// <summary>An engine that runs privileged scenarios.</summary>
internal interface ISystemUnderTest
{
    string Name { get; }

    /// <summary>Runs from the state until HLT at CPL 0 or a triple fault.</summary>
    SystemState Run(SystemState from);
}
