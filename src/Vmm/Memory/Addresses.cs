namespace Vmm.Memory;

/// <summary>An address after segmentation and before paging (SDM 3A 3.1).</summary>
public readonly record struct LinearAddress(ulong Value)
{
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>An address on the guest's physical bus, after the guest's page tables.</summary>
public readonly record struct GuestPhysicalAddress(ulong Value)
{
    public ulong PageNumber => Value >> PagedMemory.PageShift;
    public override string ToString() => $"0x{Value:x}";
}
