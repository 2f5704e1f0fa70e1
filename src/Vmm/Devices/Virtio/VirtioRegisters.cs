using System;

namespace Vmm.Devices.Virtio;

/// <summary>Constants of virtio 1.2's device status (2.1), PCI transport (4.1.4) and reserved feature bits (6).</summary>
internal static class VirtioRegisters
{
    public const byte StatusFeaturesOk = 8, StatusDriverOk = 4, StatusNeedsReset = 64;
    public const byte IsrQueue = 1, IsrConfiguration = 2;
    public const ulong FeatureIndirectDescriptors = 1UL << 28, FeatureVersion1 = 1UL << 32;

    public const byte VendorCapability = 0x09;
    public const byte CapCommon = 1, CapNotify = 2, CapIsr = 3, CapDevice = 4, CapPci = 5;

    // struct virtio_pci_common_cfg, 4.1.4.3.
    public const int DeviceFeatureSelect = 0, DeviceFeature = 4, DriverFeatureSelect = 8, DriverFeature = 12, ConfigMsixVector = 16;
    public const int NumQueues = 18, DeviceStatus = 20, ConfigGeneration = 21, QueueSelect = 22, QueueSize = 24, QueueMsixVector = 26;
    public const int QueueEnable = 28, QueueNotifyOff = 30, QueueDesc = 32, QueueDriver = 40, QueueDevice = 48, CommonSizeBytes = 56;

    /// <summary>Where each field that software can write starts and how wide it is.</summary>
    public static ReadOnlySpan<byte> WritableFields =>
    [
        DeviceFeatureSelect, 4, DriverFeatureSelect, 4, DriverFeature, 4, ConfigMsixVector, 2, DeviceStatus, 1, QueueSelect, 2, QueueSize, 2,
        QueueMsixVector, 2, QueueEnable, 2, QueueDesc, 8, QueueDriver, 8, QueueDevice, 8,
    ];
}
