using System;
using System.Buffers.Binary;
using Vmm.Devices.Pci;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices.Virtio;

/// <summary>
/// The virtio PCI transport (virtio 1.2, 4.1), modern interface only: BAR 0 holds the common, ISR, device and notification structures, a
/// page each, and BAR 1 the MSI-X table. A device derives from it and answers notifications at once, so that nothing is in
/// flight between two instructions. Not modelled: the legacy interface, queue reset, notification data, event index.
/// </summary>
internal abstract class VirtioPciDevice : PciDevice
{
    internal const ushort NoVector = 0xFFFF;

    private const int StructureBar = 0, MsixBar = 1;
    private const uint CommonOffset = 0, IsrOffset = 0x1000, DeviceOffset = 0x2000, NotifyOffset = 0x3000, StructureSizeBytes = 0x1000;
    private const uint StructureBarSizeBytes = 0x4000, NotifyOffMultiplier = 4;

    private readonly PhysicalMemory _memory;
    private readonly ulong _offeredFeatures;
    private readonly VirtQueue[] _queues;
    private readonly VirtioChain _chain = new();
    private readonly int _pciAccessCapability;
    private ulong _driverFeatures;
    private uint _deviceFeatureSelect, _driverFeatureSelect;
    private ushort _configVector = NoVector, _queueSelect;
    private byte _status, _configGeneration, _isr;

    /// <param name="name">Unique in the machine.</param>
    /// <param name="deviceType">The device id of virtio 1.2 chapter 5: 2 is a block device.</param>
    /// <param name="classCode">PCI class code.</param>
    /// <param name="features">The device's own feature bits.</param>
    /// <param name="queueCount">How many queues it has.</param>
    /// <param name="memory">Guest memory.</param>
    /// <param name="messages">Where MSI-X messages go.</param>
    private protected VirtioPciDevice(string name, ushort deviceType, uint classCode, ulong features, int queueCount, PhysicalMemory memory,
        IMsiSink messages)
        : base(name, new PciIdentity(0x1AF4, (ushort)(0x1040 + deviceType), classCode, RevisionId: 1, SubsystemVendorId: 0x1AF4,
            SubsystemId: (ushort)(0x40 + deviceType)))
    {
        _memory = memory;
        _offeredFeatures = features | VirtioRegisters.FeatureVersion1 | VirtioRegisters.FeatureIndirectDescriptors;
        _queues = new VirtQueue[queueCount];
        for (int i = 0; i < queueCount; i++) _queues[i] = new VirtQueue(memory);
        UseInterruptPin(1);
        AddMemoryBar(StructureBar, StructureBarSizeBytes);
        AddMsix(MsixBar, queueCount + 1, messages);
        AddStructure(VirtioRegisters.CapCommon, CommonOffset, VirtioRegisters.CommonSizeBytes);
        AddStructure(VirtioRegisters.CapIsr, IsrOffset, 1);
        AddStructure(VirtioRegisters.CapDevice, DeviceOffset, StructureSizeBytes);
        AddStructure(VirtioRegisters.CapNotify, NotifyOffset, StructureSizeBytes, NotifyOffMultiplier);
        _pciAccessCapability = AddStructure(VirtioRegisters.CapPci, 0, 0, 0);
        // The driver writes bar, offset and length of this one, and then its data window (4.1.4.9).
        MakeWritable(_pciAccessCapability + 4, [0xFF, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    }

    /// <summary>The driver found something that it cannot go on from; it must reset the device (2.1.2).</summary>
    public bool NeedsReset => (_status & VirtioRegisters.StatusNeedsReset) != 0;

    protected PhysicalMemory Memory => _memory;

    /// <summary>Whether the driver has set the device up and it may use its queues.</summary>
    protected bool IsRunning => (_status & (VirtioRegisters.StatusDriverOk | VirtioRegisters.StatusNeedsReset)) == VirtioRegisters.StatusDriverOk;

    private protected int QueueCapacity => VirtQueue.MaximumSize;

    /// <summary>The chain that <see cref="TryPop"/> filled last.</summary>
    private protected VirtioChain Chain => _chain;

    public override uint ReadConfig(int offset, int sizeBytes)
    {
        if (TouchesPciAccessData(offset, sizeBytes) && TryGetPciAccess(out int bar, out uint at, out int size))
            Preset32(_pciAccessCapability + 16, (uint)ReadRegion(bar, at, size), uint.MaxValue);
        return base.ReadConfig(offset, sizeBytes);
    }

    protected override void OnConfigWritten(int offset, int sizeBytes)
    {
        base.OnConfigWritten(offset, sizeBytes);
        if (TouchesPciAccessData(offset, sizeBytes) && TryGetPciAccess(out int bar, out uint at, out int size))
            WriteRegion(bar, at, size, Config32(_pciAccessCapability + 16) & (size == 4 ? uint.MaxValue : (1u << (8 * size)) - 1));
    }

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes)
    {
        if (region == MsixBar) return Msix!.ReadBar(offset, sizeBytes);
        uint within = (uint)offset & (StructureSizeBytes - 1);
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        switch ((uint)offset & ~(StructureSizeBytes - 1))
        {
            case CommonOffset: ReadCommon((int)within, bytes[..sizeBytes]); break;
            case DeviceOffset: ReadDeviceConfig((int)within, bytes[..sizeBytes]); break;
            case IsrOffset when within == 0: bytes[0] = TakeIsr(); break;
            default: break;
        }
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value)
    {
        if (region == MsixBar)
        {
            Msix!.WriteBar(offset, sizeBytes, value);
            return;
        }
        uint within = (uint)offset & (StructureSizeBytes - 1);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        switch ((uint)offset & ~(StructureSizeBytes - 1))
        {
            case CommonOffset: WriteCommon((int)within, bytes[..sizeBytes]); break;
            case DeviceOffset: WriteDeviceConfig((int)within, bytes[..sizeBytes]); break;
            case NotifyOffset: Notify((int)(within / NotifyOffMultiplier)); break;
            default: break;
        }
    }

    protected override void SaveFunction(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("driverFeatures", _driverFeatures);
        writer.Write("deviceFeatureSelect", _deviceFeatureSelect);
        writer.Write("driverFeatureSelect", _driverFeatureSelect);
        writer.Write("configVector", (uint)_configVector);
        writer.Write("queueSelect", (uint)_queueSelect);
        writer.Write("status", (uint)_status);
        writer.Write("configGeneration", (uint)_configGeneration);
        writer.Write("isr", (uint)_isr);
        foreach (VirtQueue queue in _queues) queue.Save(writer);
    }

    protected override void RestoreFunction(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _driverFeatures = reader.ReadUInt64("driverFeatures");
        _deviceFeatureSelect = reader.ReadUInt32("deviceFeatureSelect");
        _driverFeatureSelect = reader.ReadUInt32("driverFeatureSelect");
        _configVector = (ushort)reader.ReadUInt32("configVector");
        _queueSelect = (ushort)reader.ReadUInt32("queueSelect");
        _status = reader.ReadByte("status");
        _configGeneration = reader.ReadByte("configGeneration");
        _isr = reader.ReadByte("isr");
        foreach (VirtQueue queue in _queues) queue.Restore(reader);
    }

    /// <summary>The driver says that it put chains into a queue.</summary>
    private protected abstract void OnNotify(int queueIndex);

    /// <summary>The driver reset the device: forget what belongs to it.</summary>
    private protected virtual void OnReset()
    {
    }

    /// <summary>Reads the device's own configuration structure.</summary>
    private protected abstract void ReadDeviceConfig(int offset, Span<byte> destination);

    /// <summary>Writes the device's own configuration structure; most have nothing to write.</summary>
    private protected virtual void WriteDeviceConfig(int offset, ReadOnlySpan<byte> source)
    {
    }

    private protected bool HasFeature(int bit) => (_driverFeatures >> bit & 1) != 0;

    /// <summary>Takes the next chain of a queue into <see cref="Chain"/>. A broken queue makes the device need a reset.</summary>
    private protected bool TryPop(int queueIndex, long maximumBytes)
    {
        if (!IsRunning) return false;
        VirtQueue queue = _queues[queueIndex];
        if (queue.TryPop(_chain, maximumBytes)) return true;
        if (queue.IsBroken) FailDevice();
        return false;
    }

    private protected void PushUsed(int queueIndex, ushort head, uint bytesWritten) => _queues[queueIndex].PushUsed(head, bytesWritten);

    /// <summary>Interrupts for used buffers, unless the driver does not want it.</summary>
    private protected void InterruptQueue(int queueIndex)
    {
        VirtQueue queue = _queues[queueIndex];
        if (!queue.WantsInterrupt) return;
        Interrupt(VirtioRegisters.IsrQueue, queue.MsixVector);
    }

    /// <summary>The device's configuration changed: a new generation and an interrupt (2.5, 4.1.4.3).</summary>
    private protected void ConfigurationChanged()
    {
        _configGeneration++;
        if ((_status & VirtioRegisters.StatusDriverOk) != 0) Interrupt(VirtioRegisters.IsrConfiguration, _configVector);
    }

    /// <summary>The driver broke the rules in a way that cannot be answered for one chain alone (2.1.2).</summary>
    private protected void FailDevice()
    {
        if (NeedsReset) return;
        _status |= VirtioRegisters.StatusNeedsReset;
        ConfigurationChanged();
    }

    /// <summary>Copies the part of a structure that an access covers; bytes behind its end read as 0.</summary>
    private protected static void CopyConfig(ReadOnlySpan<byte> structure, int offset, Span<byte> destination)
    {
        destination.Clear();
        if (offset >= structure.Length) return;
        structure.Slice(offset, Math.Min(destination.Length, structure.Length - offset)).CopyTo(destination);
    }

    private int AddStructure(byte type, uint offset, uint length, uint? extra = null)
    {
        Span<byte> body = stackalloc byte[extra is null ? 14 : 18];
        body.Clear();
        body[0] = (byte)(body.Length + 2);
        body[1] = type;
        body[2] = StructureBar;
        BinaryPrimitives.WriteUInt32LittleEndian(body[6..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(body[10..], length);
        if (extra is not null) BinaryPrimitives.WriteUInt32LittleEndian(body[14..], extra.Value);
        return AddCapability(VirtioRegisters.VendorCapability, body);
    }

    private bool TouchesPciAccessData(int offset, int sizeBytes) =>
        offset < _pciAccessCapability + 20 && offset + sizeBytes > _pciAccessCapability + 16;

    private bool TryGetPciAccess(out int bar, out uint offset, out int sizeBytes)
    {
        bar = (int)base.ReadConfig(_pciAccessCapability + 4, 1);
        offset = Config32(_pciAccessCapability + 8);
        uint length = Config32(_pciAccessCapability + 12);
        sizeBytes = (int)length;
        uint barSize = bar == StructureBar ? StructureBarSizeBytes : MsixCapability.BarSizeBytes;
        return bar is StructureBar or MsixBar && length is 1 or 2 or 4 && offset % length == 0 && offset < barSize;
    }

    private void Notify(int queueIndex)
    {
        if (queueIndex < _queues.Length && _queues[queueIndex].IsEnabled && IsRunning) OnNotify(queueIndex);
    }

    private byte TakeIsr()
    {
        byte isr = _isr;
        _isr = 0;
        SetInterrupt(false);
        return isr;
    }

    private void Interrupt(byte isrBit, ushort vector)
    {
        if (Msix!.IsEnabled)
        {
            if (vector != NoVector) Msix.Signal(vector);
            return;
        }
        _isr |= isrBit;
        SetInterrupt(true);
    }

    private void ReadCommon(int offset, Span<byte> destination)
    {
        Span<byte> block = stackalloc byte[VirtioRegisters.CommonSizeBytes];
        FillCommon(block);
        CopyConfig(block, offset, destination);
    }

    private void FillCommon(Span<byte> block)
    {
        block.Clear();
        Put32(block, VirtioRegisters.DeviceFeatureSelect, _deviceFeatureSelect);
        Put32(block, VirtioRegisters.DeviceFeature, SelectHalf(_offeredFeatures, _deviceFeatureSelect));
        Put32(block, VirtioRegisters.DriverFeatureSelect, _driverFeatureSelect);
        Put32(block, VirtioRegisters.DriverFeature, SelectHalf(_driverFeatures, _driverFeatureSelect));
        Put16(block, VirtioRegisters.ConfigMsixVector, _configVector);
        Put16(block, VirtioRegisters.NumQueues, (ushort)_queues.Length);
        block[VirtioRegisters.DeviceStatus] = _status;
        block[VirtioRegisters.ConfigGeneration] = _configGeneration;
        Put16(block, VirtioRegisters.QueueSelect, _queueSelect);
        // A queue that does not exist has size 0 (4.1.4.3.1).
        if (_queueSelect >= _queues.Length) return;
        VirtQueue queue = _queues[_queueSelect];
        Put16(block, VirtioRegisters.QueueSize, queue.Size);
        Put16(block, VirtioRegisters.QueueMsixVector, queue.MsixVector);
        Put16(block, VirtioRegisters.QueueEnable, (ushort)(queue.IsEnabled ? 1 : 0));
        Put16(block, VirtioRegisters.QueueNotifyOff, _queueSelect);
        BinaryPrimitives.WriteUInt64LittleEndian(block[VirtioRegisters.QueueDesc..], queue.DescriptorTable);
        BinaryPrimitives.WriteUInt64LittleEndian(block[VirtioRegisters.QueueDriver..], queue.AvailableRing);
        BinaryPrimitives.WriteUInt64LittleEndian(block[VirtioRegisters.QueueDevice..], queue.UsedRing);
    }

    /// <summary>Writes each field that an access touches; the bytes of it that the access leaves out keep their values.</summary>
    private void WriteCommon(int offset, ReadOnlySpan<byte> source)
    {
        if (offset + source.Length > VirtioRegisters.CommonSizeBytes) return;
        Span<byte> block = stackalloc byte[VirtioRegisters.CommonSizeBytes + 8];
        FillCommon(block[..VirtioRegisters.CommonSizeBytes]);
        source.CopyTo(block[offset..]);
        ReadOnlySpan<byte> fields = VirtioRegisters.WritableFields;
        for (int i = 0; i < fields.Length; i += 2)
        {
            int field = fields[i], size = fields[i + 1];
            if (offset >= field + size || offset + source.Length <= field) continue;
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(block[field..]);
            WriteCommonField(field, size == 8 ? value : value & ((1UL << (8 * size)) - 1));
        }
    }

    private void WriteCommonField(int field, ulong value)
    {
        switch (field)
        {
            case VirtioRegisters.DeviceFeatureSelect: _deviceFeatureSelect = (uint)value; return;
            case VirtioRegisters.DriverFeatureSelect: _driverFeatureSelect = (uint)value; return;
            case VirtioRegisters.DriverFeature: WriteDriverFeature((uint)value); return;
            case VirtioRegisters.ConfigMsixVector: _configVector = ValidVector((ushort)value); return;
            case VirtioRegisters.DeviceStatus: WriteStatus((byte)value); return;
            case VirtioRegisters.QueueSelect: _queueSelect = (ushort)value; return;
            default: break;
        }
        if (_queueSelect >= _queues.Length) return;
        VirtQueue queue = _queues[_queueSelect];
        if (field == VirtioRegisters.QueueMsixVector) queue.MsixVector = ValidVector((ushort)value);
        // The layout is fixed once the queue is enabled (4.1.4.3.2).
        if (queue.IsEnabled) return;
        switch (field)
        {
            case VirtioRegisters.QueueSize: queue.Size = (ushort)value; break;
            case VirtioRegisters.QueueDesc: queue.DescriptorTable = value; break;
            case VirtioRegisters.QueueDriver: queue.AvailableRing = value; break;
            case VirtioRegisters.QueueDevice: queue.UsedRing = value; break;
            case VirtioRegisters.QueueEnable when value == 1:
                if (queue.HasValidLayout) queue.IsEnabled = true;
                else FailDevice();
                break;
            default: break;
        }
    }

    private void WriteDriverFeature(uint value)
    {
        if ((_status & VirtioRegisters.StatusFeaturesOk) != 0) return; // negotiated features stay (2.2)
        if (_driverFeatureSelect == 0) _driverFeatures = (_driverFeatures & ~0xFFFF_FFFFUL) | value;
        else if (_driverFeatureSelect == 1) _driverFeatures = (uint)_driverFeatures | (ulong)value << 32;
    }

    private void WriteStatus(byte value)
    {
        if (value == 0)
        {
            ResetDevice();
            return;
        }
        bool acceptable = (_driverFeatures & ~_offeredFeatures) == 0 && (_driverFeatures & VirtioRegisters.FeatureVersion1) != 0;
        if (!acceptable) value &= unchecked((byte)~VirtioRegisters.StatusFeaturesOk); // the driver reads it back (3.1.1)
        _status = (byte)(value & ~VirtioRegisters.StatusNeedsReset | _status & VirtioRegisters.StatusNeedsReset);
    }

    private void ResetDevice()
    {
        _driverFeatures = 0;
        _deviceFeatureSelect = _driverFeatureSelect = 0;
        _configVector = NoVector;
        _queueSelect = 0;
        _status = _isr = 0;
        foreach (VirtQueue queue in _queues) queue.Reset();
        SetInterrupt(false);
        OnReset();
    }

    /// <summary>A vector outside the table reads back as "none" (4.1.5.1.2.1).</summary>
    private ushort ValidVector(ushort vector) => vector < Msix!.VectorCount ? vector : NoVector;

    private static uint SelectHalf(ulong features, uint select) => select switch
    {
        0 => (uint)features,
        1 => (uint)(features >> 32),
        _ => 0,
    };

    private static void Put16(Span<byte> block, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(block[offset..], value);

    private static void Put32(Span<byte> block, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(block[offset..], value);
}
