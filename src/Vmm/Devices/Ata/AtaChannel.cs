using System;
using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices.Ata;

/// <summary>
/// One ATA channel with up to two disks (ATA/ATAPI-6, T13/1410D): the command block at eight ports, the alternate status and device
/// control register at one, and INTRQ. A missing device 1 is answered for as device 0 must (9.16.1): its status reads 0.
/// Not modelled: packet devices, queued commands, power states, security, S.M.A.R.T.; commands take no time.
/// </summary>
internal sealed class AtaChannel : IPortDevice, ISnapshotted
{
    public const int PrimaryCommandBlock = 0x1F0, PrimaryControl = 0x3F6, PrimaryIrq = 14;
    public const int SecondaryCommandBlock = 0x170, SecondaryControl = 0x376, SecondaryIrq = 15;

    private const int Data = 0, ErrorOrFeatures = 1, SectorCount = 2, LbaLow = 3, LbaMid = 4, LbaHigh = 5, Device = 6, StatusOrCommand = 7;

    private readonly int _commandBlock;
    private readonly IrqLine _irq;
    private readonly AtaDrive[] _drives;
    private byte _control;
    private int _selected;

    /// <param name="name">"ata0" or "ata1".</param>
    /// <param name="ports">Gets the channel's nine ports.</param>
    /// <param name="commandBlock">First port of the command block.</param>
    /// <param name="control">Port of the device control register.</param>
    /// <param name="irq">INTRQ.</param>
    /// <param name="disk0">Content of device 0, or null for none.</param>
    /// <param name="disk1">Content of device 1, or null for none.</param>
    /// <param name="hasDma">Whether a bus master (<see cref="Piix3Ide"/>) moves data for DMA commands.</param>
    public AtaChannel(string name, PortBus ports, int commandBlock, int control, IrqLine irq, Disk? disk0, Disk? disk1, bool hasDma = false)
    {
        ArgumentNullException.ThrowIfNull(ports);
        SnapshotName = name;
        _commandBlock = commandBlock;
        _irq = irq;
        _drives = [new AtaDrive(0, disk0, hasDma), new AtaDrive(1, disk1, hasDma)];
        ports.Map(commandBlock, 8, this);
        ports.Map(control, 1, this);
    }

    public string SnapshotName { get; }

    /// <summary>Whether any disk is there.</summary>
    public bool HasDisk => _drives[0].Disk is not null || _drives[1].Disk is not null;

    /// <summary>Who moves data when a DMA command has been written; set by the bus master.</summary>
    internal Piix3Ide? BusMaster { get; set; }

    internal AtaDrive SelectedDrive => _drives[_selected];

    public uint ReadPort(PortNumber port, int sizeBytes)
    {
        int register = port.Value - _commandBlock;
        bool isControl = register is < 0 or > StatusOrCommand;
        if (!HasDisk) return 0;
        AtaDrive drive = SelectedDrive;
        if (isControl) return drive.Status; // the alternate status leaves INTRQ as it is
        if (register == Data) return ReadData(drive, sizeBytes);
        int shift = (_control & AtaRegisters.ControlHighOrder) != 0 ? 8 : 0;
        switch (register)
        {
            case ErrorOrFeatures: return drive.Disk is null ? 0u : drive.Error;
            case SectorCount: return (byte)(drive.SectorCount >> shift);
            case LbaLow: return (byte)(drive.LbaLow >> shift);
            case LbaMid: return (byte)(drive.LbaMid >> shift);
            case LbaHigh: return (byte)(drive.LbaHigh >> shift);
            case Device: return (uint)(drive.Device | AtaRegisters.DeviceObsoleteOnes | (_selected != 0 ? AtaRegisters.DeviceSelect1 : 0));
            default:
                drive.InterruptPending = false;
                UpdateInterrupt();
                return drive.Status;
        }
    }

    public void WritePort(PortNumber port, int sizeBytes, uint value)
    {
        int register = port.Value - _commandBlock;
        bool isControl = register is < 0 or > StatusOrCommand;
        if (isControl) WriteControl((byte)value);
        else if (register == Data) WriteData(sizeBytes, value);
        else if (register == StatusOrCommand) WriteCommand((byte)value);
        else WriteTaskFile(register, (byte)value);
    }

    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("control", (uint)_control);
        writer.Write("selected", _selected);
        foreach (AtaDrive drive in _drives) drive.Save(writer);
    }

    public void Restore(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _control = reader.ReadByte("control");
        _selected = reader.ReadInt32("selected") & 1;
        foreach (AtaDrive drive in _drives) drive.Restore(reader);
        _irq.Restore(InterruptLevel);
    }

    internal bool InterruptLevel => (_control & AtaRegisters.ControlNoInterrupt) == 0 && SelectedDrive.InterruptPending;

    /// <summary>INTRQ follows the selected device, unless nIEN keeps it off.</summary>
    internal void UpdateInterrupt()
    {
        bool level = InterruptLevel;
        if (level && !_irq.IsHigh) BusMaster?.InterruptRaised(this);
        _irq.Set(level);
    }

    private uint ReadData(AtaDrive drive, int sizeBytes)
    {
        if (drive.Disk is null) return 0;
        uint value = drive.ReadData(sizeBytes);
        UpdateInterrupt();
        return value;
    }

    private void WriteData(int sizeBytes, uint value)
    {
        if (SelectedDrive.Disk is null) return;
        SelectedDrive.WriteData(sizeBytes, value);
        UpdateInterrupt();
    }

    private void WriteControl(byte value)
    {
        bool wasInReset = (_control & AtaRegisters.ControlSoftwareReset) != 0, isInReset = (value & AtaRegisters.ControlSoftwareReset) != 0;
        _control = value;
        // Both drives reset while SRST is set; BSY shows until it is cleared, and then the signature is there at once (9.2).
        if (isInReset && !wasInReset)
        {
            foreach (AtaDrive drive in _drives) drive.BeginReset();
        }
        else if (wasInReset && !isInReset)
        {
            foreach (AtaDrive drive in _drives) drive.Reset();
            _selected = 0;
        }
        UpdateInterrupt();
    }

    /// <summary>Both drives see the writes to the task file; the selected one acts on the command (9.1).</summary>
    private void WriteTaskFile(int register, byte value)
    {
        // Writing a register makes its last value the "previous content", and any write ends reading that (6.20).
        _control &= unchecked((byte)~AtaRegisters.ControlHighOrder);
        foreach (AtaDrive drive in _drives)
        {
            switch (register)
            {
                case ErrorOrFeatures: Push(ref drive.Features, value); break;
                case SectorCount: Push(ref drive.SectorCount, value); break;
                case LbaLow: Push(ref drive.LbaLow, value); break;
                case LbaMid: Push(ref drive.LbaMid, value); break;
                case LbaHigh: Push(ref drive.LbaHigh, value); break;
                default: drive.Device = value; break;
            }
        }
        if (register != Device) return;
        _selected = (value & AtaRegisters.DeviceSelect1) != 0 ? 1 : 0;
        UpdateInterrupt();
    }

    private void WriteCommand(byte code)
    {
        _control &= unchecked((byte)~AtaRegisters.ControlHighOrder);
        if ((_control & AtaRegisters.ControlSoftwareReset) != 0) return;
        if (code == (byte)AtaCommand.ExecuteDeviceDiagnostic)
        {
            Diagnose();
            return;
        }
        AtaDrive drive = SelectedDrive;
        if (drive.Disk is null) return;
        drive.Execute(code);
        BusMaster?.CommandWritten(this);
        UpdateInterrupt();
    }

    /// <summary>EXECUTE DEVICE DIAGNOSTIC concerns both drives and leaves device 0 selected with the signature (9.10).</summary>
    private void Diagnose()
    {
        if (!HasDisk) return;
        foreach (AtaDrive drive in _drives) drive.Reset();
        _selected = 0;
        _drives[0].InterruptPending = _drives[0].Disk is not null;
        UpdateInterrupt();
    }

    private static void Push(ref ushort register, byte value) => register = (ushort)(register << 8 | value);
}
