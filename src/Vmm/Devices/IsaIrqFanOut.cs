using Vmm.Buses;

namespace Vmm.Devices;

/// <summary>
/// The ISA interrupt wires: each goes to the 8259 pair and to the I/O APIC. IRQ0 is wired to input 2 of the I/O APIC, as
/// PCs do and as the platform's tables say (interrupt source override).
/// </summary>
internal sealed class IsaIrqFanOut(IIrqSink pic, IIrqSink ioApic) : IIrqSink
{
    public void SetIrqLevel(int input, bool high)
    {
        pic.SetIrqLevel(input, high);
        // Input 0 would be the 8259's INTR, and IRQ2 does not exist.
        if (input != 2) ioApic.SetIrqLevel(input == 0 ? 2 : input, high);
    }
}
