namespace Vmm.Cpu;

/// <summary>Exception vectors (SDM 3A 6.3.1, table 6-1).</summary>
public enum Vector : byte
{
    DivideError = 0,
    Debug = 1,
    NonMaskableInterrupt = 2,
    Breakpoint = 3,
    Overflow = 4,
    BoundRange = 5,
    InvalidOpcode = 6,
    DeviceNotAvailable = 7,
    DoubleFault = 8,
    InvalidTss = 10,
    SegmentNotPresent = 11,
    StackFault = 12,
    GeneralProtection = 13,
    PageFault = 14,
    X87FloatingPoint = 16,
    AlignmentCheck = 17,
    MachineCheck = 18,
    SimdFloatingPoint = 19,
}

/// <summary>An exception on its way to delivery.</summary>
/// <param name="Vector">Its vector.</param>
/// <param name="ErrorCode">Its error code; 0 where the vector has none.</param>
/// <param name="Address">#PF: the linear address, for CR2. #DB: the bits for DR6.</param>
public readonly record struct PendingException(Vector Vector, uint ErrorCode, ulong Address = 0)
{
    /// <summary>Vectors that push an error code (SDM 3A 6.13).</summary>
    public bool HasErrorCode => Vector is Vector.DoubleFault or Vector.InvalidTss or Vector.SegmentNotPresent or Vector.StackFault
        or Vector.GeneralProtection or Vector.PageFault or Vector.AlignmentCheck;
}
