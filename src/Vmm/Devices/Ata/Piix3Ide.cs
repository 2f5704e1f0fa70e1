using System;
using System.Buffers.Binary;
using Vmm.Devices.Pci;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices.Ata;

/// <summary>
/// Function 1 of Intel's PIIX3 (82371SB, datasheet 290550-002) at 00:01.1: two ATA channels at the legacy ports and interrupts, and a bus master
/// that moves the data of DMA commands (Programming Interface for Bus Master IDE Controller, rev. 1.0). A transfer is done at
/// once when both the command has been written and the bus master started.
/// Not modelled: timings; the timing registers read back.
/// </summary>
internal sealed class Piix3Ide : PciDevice
{
    private const int BusMasterBar = 4, ChannelCount = 2, RegistersPerChannel = 8;
    private const int CommandRegister = 0, StatusRegister = 2, TableRegister = 4;
    private const byte CommandStart = 1, CommandToMemory = 8;
    private const byte StatusActive = 1, StatusError = 2, StatusInterrupt = 4, StatusDriveCapable = 0x60;
    private const int DescriptorSizeBytes = 8, MaximumDescriptors = 8192; // a table of 64 KiB

    private readonly PhysicalMemory _memory;
    private readonly AtaChannel[] _channels;
    private readonly byte[] _commands = new byte[ChannelCount];
    private readonly byte[] _statuses = new byte[ChannelCount];
    private readonly uint[] _tables = new uint[ChannelCount];

    public Piix3Ide(PhysicalMemory memory, AtaChannel primary, AtaChannel secondary)
        : base("piix3ide", new PciIdentity(0x8086, 0x7010, 0x01_01_80, SubsystemVendorId: 0x1AF4, SubsystemId: 0x1100))
    {
        ArgumentNullException.ThrowIfNull(primary);
        ArgumentNullException.ThrowIfNull(secondary);
        _memory = memory;
        _channels = [primary, secondary];
        primary.BusMaster = this;
        secondary.BusMaster = this;
        Preset16(PciRegisters.Status, 0x0280);
        // IDETIM: bit 15 decodes the channel's ports, which are always decoded here.
        Preset16(0x40, 0x8000, 0xFFFF);
        Preset16(0x42, 0x8000, 0xFFFF);
        Preset(0x44, 0, 0xFF);
        AddIoBar(BusMasterBar, ChannelCount * RegistersPerChannel);
    }

    /// <summary>The drive has data to move: begins if the bus master is already running.</summary>
    internal void CommandWritten(AtaChannel channel) => TransferIfReady(IndexOf(channel));

    /// <summary>INTRQ rose: bit 2 of the channel's status stays set until it is written with one.</summary>
    internal void InterruptRaised(AtaChannel channel) => _statuses[IndexOf(channel)] |= StatusInterrupt;

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes)
    {
        ulong value = 0;
        for (int i = 0; i < sizeBytes; i++) value |= (ulong)ReadRegister((int)offset + i) << (8 * i);
        return value;
    }

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value)
    {
        for (int i = 0; i < sizeBytes; i++) WriteRegister((int)offset + i, (byte)(value >> (8 * i)));
    }

    protected override void SaveFunction(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("commands", _commands);
        writer.Write("statuses", _statuses);
        foreach (uint table in _tables) writer.Write("table", table);
    }

    protected override void RestoreFunction(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        reader.Read("commands", _commands);
        reader.Read("statuses", _statuses);
        for (int i = 0; i < ChannelCount; i++) _tables[i] = reader.ReadUInt32("table");
    }

    private int IndexOf(AtaChannel channel) => ReferenceEquals(channel, _channels[0]) ? 0 : 1;

    private byte ReadRegister(int offset)
    {
        int channel = offset / RegistersPerChannel, register = offset % RegistersPerChannel;
        if (channel >= ChannelCount) return 0xFF;
        if (register == CommandRegister) return _commands[channel];
        if (register == StatusRegister) return _statuses[channel];
        return register >= TableRegister ? (byte)(_tables[channel] >> (8 * (register - TableRegister))) : (byte)0;
    }

    private void WriteRegister(int offset, byte value)
    {
        int channel = offset / RegistersPerChannel, register = offset % RegistersPerChannel;
        if (channel >= ChannelCount) return;
        if (register == CommandRegister) WriteBusMasterCommand(channel, value);
        else if (register == StatusRegister)
        {
            int kept = _statuses[channel] & ~(value & (StatusError | StatusInterrupt)) & ~StatusDriveCapable;
            _statuses[channel] = (byte)(kept | (value & StatusDriveCapable));
        }
        else if (register >= TableRegister)
        {
            int shift = 8 * (register - TableRegister);
            _tables[channel] = (_tables[channel] & ~(0xFFu << shift) | (uint)value << shift) & ~3u;
        }
    }

    private void WriteBusMasterCommand(int channel, byte value)
    {
        bool wasStarted = (_commands[channel] & CommandStart) != 0, isStarted = (value & CommandStart) != 0;
        _commands[channel] = (byte)(value & (CommandStart | CommandToMemory));
        if (!isStarted) _statuses[channel] &= unchecked((byte)~StatusActive);
        if (!isStarted || wasStarted) return;
        _statuses[channel] |= StatusActive;
        TransferIfReady(channel);
        _channels[channel].UpdateInterrupt();
    }

    private void TransferIfReady(int channel)
    {
        AtaDrive drive = _channels[channel].SelectedDrive;
        bool toMemory = drive.Transfer == AtaTransfer.DmaIn;
        if (drive.DmaBytesLeft == 0 || (_commands[channel] & CommandStart) == 0) return;
        if (((_commands[channel] & CommandToMemory) != 0) != toMemory) return; // the wrong direction never gets going
        Transfer(channel, drive, toMemory);
    }

    /// <summary>
    /// Walks the descriptor table: address, 16-bit byte count (0 is 64 KiB), bit 31 of the last dword ends the table. Active stays set when the
    /// table was longer than the transfer, and an interrupt fails to come when it was shorter (rev. 1.0, 3.1).
    /// </summary>
    private void Transfer(int channel, AtaDrive drive, bool toMemory)
    {
        Span<byte> descriptor = stackalloc byte[DescriptorSizeBytes];
        Span<byte> bytes = stackalloc byte[Disk.SectorSizeBytes];
        ulong at = _tables[channel];
        for (int i = 0; i < MaximumDescriptors && drive.DmaBytesLeft > 0; i++, at += DescriptorSizeBytes)
        {
            _memory.Read(new GuestPhysicalAddress(at), descriptor);
            ulong address = BinaryPrimitives.ReadUInt32LittleEndian(descriptor) & ~1u;
            uint countAndFlags = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[4..]);
            int left = (int)(countAndFlags & 0xFFFE);
            if (left == 0) left = 65536;
            while (left > 0 && drive.DmaBytesLeft > 0)
            {
                Span<byte> chunk = bytes[..Math.Min(left, bytes.Length)];
                int moved;
                if (toMemory)
                {
                    moved = drive.DmaRead(chunk);
                    _memory.Write(new GuestPhysicalAddress(address), chunk[..moved]);
                }
                else
                {
                    _memory.Read(new GuestPhysicalAddress(address), chunk);
                    moved = drive.DmaWrite(chunk);
                }
                address += (uint)moved;
                left -= moved;
            }
            bool isLast = countAndFlags >> 31 != 0;
            if (!isLast) continue;
            if (left == 0) _statuses[channel] &= unchecked((byte)~StatusActive);
            return;
        }
    }
}
