namespace Vmm.Devices;

/// <summary>
/// Implemented by the machine: what chips can do to all of it. Each ends the machine after the current instruction.
/// </summary>
internal interface IPowerControl
{
    void PowerOff();

    void Reset();

    /// <param name="value">The value that the guest wrote to the debug-exit port.</param>
    void DebugExit(uint value);
}
