namespace Vmm.Devices.Ata;

/// <summary>Bits of the task file (ATA/ATAPI-6, T13/1410D, chapter 7).</summary>
internal static class AtaRegisters
{
    public const byte StatusError = 0x01, StatusDataRequest = 0x08, StatusSeekComplete = 0x10, StatusDeviceFault = 0x20;
    public const byte StatusReady = 0x40, StatusBusy = 0x80;

    /// <summary>Ready, seek complete: what a drive shows when it has nothing to do.</summary>
    public const byte StatusIdle = StatusReady | StatusSeekComplete;

    public const byte ErrorAborted = 0x04, ErrorIdNotFound = 0x10, ErrorDiagnosticPassed = 0x01;
    public const byte DeviceLba = 0x40, DeviceSelect1 = 0x10, DeviceObsoleteOnes = 0xA0;
    public const byte ControlNoInterrupt = 0x02, ControlSoftwareReset = 0x04, ControlHighOrder = 0x80;
}
