namespace Vmm.Devices;

/// <summary>
/// Implemented by the machine: an interrupt controller says that its answer to "is there an interrupt?" may be another
/// now.
/// </summary>
internal interface IInterruptSignal
{
    /// <summary>
    /// Look again at the controllers' outputs before the next instruction. Called often, also when nothing is different.
    /// </summary>
    void Changed();
}
