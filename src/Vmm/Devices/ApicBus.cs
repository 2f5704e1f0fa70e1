using System.Collections.Generic;

namespace Vmm.Devices;

/// <summary>
/// Routes messages between local APICs, the I/O APIC and the processors (SDM 3A 11.6.2): physical and logical
/// destinations, flat and cluster, shorthands. Lowest-priority delivery goes to the enabled destination with the lowest
/// APIC ID, always: which one is up to the chipset, and a fixed choice keeps the machine deterministic. It has no state
/// of its own. SMI and ExtINT messages are not modelled.
/// </summary>
internal sealed class ApicBus(ICpuControl cpus) : IApicBus
{
    private readonly List<LocalApic> _localApics = [];
    private readonly List<IoApic> _ioApics = [];

    /// <summary>Local APICs are attached in the order of their processors.</summary>
    public void Attach(LocalApic localApic)
    {
        Invariant.Check(localApic.CpuIndex == _localApics.Count);
        _localApics.Add(localApic);
    }

    public void Attach(IoApic ioApic) => _ioApics.Add(ioApic);

    public void SendIpi(int sourceCpu, DestinationShorthand shorthand, in InterruptMessage message)
    {
        switch (shorthand)
        {
            case DestinationShorthand.None:
                Send(message);
                break;
            case DestinationShorthand.Self:
                Deliver(_localApics[sourceCpu], message);
                break;
            default:
                foreach (LocalApic target in _localApics)
                    if (shorthand == DestinationShorthand.AllIncludingSelf || target.CpuIndex != sourceCpu) Deliver(target, message);
                break;
        }
    }

    public void Send(in InterruptMessage message)
    {
        if (message.Mode == DeliveryMode.LowestPriority)
        {
            LocalApic? lowest = null;
            foreach (LocalApic target in _localApics)
            {
                if (!target.IsSoftwareEnabled || !target.Matches(message.Destination, message.IsLogical)) continue;
                if (lowest is null || target.ApicId < lowest.ApicId) lowest = target;
            }
            if (lowest is not null) Deliver(lowest, message);
            return;
        }
        foreach (LocalApic target in _localApics)
            if (target.Matches(message.Destination, message.IsLogical)) Deliver(target, message);
    }

    /// <summary>
    /// A message-signalled interrupt: a device's write of <paramref name="data"/> to 0xFEExxxxx (SDM 3A 11.11).
    /// </summary>
    public void SendMsi(ulong address, uint data)
    {
        var mode = (DeliveryMode)(data >> 8 & 7);
        bool isLogical = (address & 4) != 0;
        Send(new InterruptMessage(InterruptMessage.WidenDestination((byte)(address >> 12)), isLogical, mode, (byte)data,
            (data & 0x8000) != 0, true));
    }

    public void BroadcastEoi(byte vector)
    {
        foreach (IoApic ioApic in _ioApics) ioApic.EndOfInterrupt(vector);
    }

    private void Deliver(LocalApic target, in InterruptMessage message)
    {
        switch (message.Mode)
        {
            case DeliveryMode.Fixed or DeliveryMode.LowestPriority:
                target.SetIrr(message.Vector, message.IsLevelTriggered);
                break;
            case DeliveryMode.Nmi:
                cpus.Nmi(target.CpuIndex);
                break;
            case DeliveryMode.Init:
                if (!message.IsAsserted) return;
                target.Init();
                cpus.Init(target.CpuIndex);
                break;
            case DeliveryMode.Startup:
                cpus.Startup(target.CpuIndex, message.Vector);
                break;
        }
    }
}
