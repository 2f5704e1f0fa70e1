namespace Vmm.Cpu;

/// <summary>Bits of CR0 (SDM 3A 2.5).</summary>
public static class Cr0
{
    public const ulong ProtectionEnable = 1, MonitorCoprocessor = 2, Emulation = 4, TaskSwitched = 8, ExtensionType = 16, NumericError = 32,
        WriteProtect = 1 << 16, AlignmentMask = 1 << 18, NotWriteThrough = 1 << 29, CacheDisable = 1 << 30, Paging = 1UL << 31;

    public const ulong All = ProtectionEnable | MonitorCoprocessor | Emulation | TaskSwitched | ExtensionType | NumericError | WriteProtect
        | AlignmentMask | NotWriteThrough | CacheDisable | Paging;
}

/// <summary>Bits of CR4 that the model has (SDM 3A 2.5); all others are reserved.</summary>
public static class Cr4
{
    public const ulong TimeStampDisable = 4, DebuggingExtensions = 8, PageSizeExtensions = 16, PhysicalAddressExtension = 32, MachineCheckEnable = 64,
        PageGlobalEnable = 128, PerformanceCounterEnable = 256, OsFxsr = 512, OsXmmExceptions = 1024, UserModeInstructionPrevention = 2048,
        ProcessContextIds = 1 << 17, OsXsave = 1 << 18, SupervisorExecutionPrevention = 1 << 20, SupervisorAccessPrevention = 1 << 21;

    public const ulong All = TimeStampDisable | DebuggingExtensions | PageSizeExtensions | PhysicalAddressExtension | MachineCheckEnable | PageGlobalEnable
        | PerformanceCounterEnable | OsFxsr | OsXmmExceptions | UserModeInstructionPrevention | ProcessContextIds | OsXsave
        | SupervisorExecutionPrevention | SupervisorAccessPrevention;
}

/// <summary>Bits of IA32_EFER.</summary>
public static class Efer
{
    public const ulong SyscallEnable = 1, LongModeEnable = 1 << 8, LongModeActive = 1 << 10, NoExecuteEnable = 1 << 11;
}
