using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>
/// What generated code keeps beside the vCPU's state: at the top of its frame, what is used most first. None of it is the guest's state between runs.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EngineRoom
{
    /// <summary>Instructions that may still be executed before a block is entered that could run past the limit.</summary>
    public long Budget;
    /// <summary>Host address of the jump cache that is valid now; see <see cref="JumpCaches"/>.</summary>
    public nint JumpCache;
    /// <summary>The arithmetic flags, as what they are computed from; see <see cref="DeferredFlags"/>.</summary>
    public ulong FlagX, FlagY;
    public int FlagKind;
    public byte CarryIn, OtherCarry, OtherOverflow, OtherZero;
    /// <summary>Result of an INC or DEC whose CF is what the other fields say.</summary>
    public ulong FlagIncrement;
    /// <summary>The place in code that leaves it or calls for help.</summary>
    public int Site;
    public int ExitCode;
    /// <summary>The host's stack pointer while generated code runs.</summary>
    public nint HostStack;
    /// <summary>GCHandle of the <see cref="VcpuTranslation"/>.</summary>
    public nint Owner;
    /// <summary>A computed target, while the return address is pushed.</summary>
    public ulong Target;
    /// <summary>The flags as LAHF and SETO store them.</summary>
    public ushort HostFlags;
    /// <summary>MXCSR as C# has it.</summary>
    public uint HostMxcsr;
    /// <summary>Linear address of an access that the TLB does not know.</summary>
    public ulong SlowAddress;
    public ulong SavedAddress, SavedValue, SavedOther;
    /// <summary>Stands for guest memory while an access takes the slow path.</summary>
    public ulong Buffer;
    /// <summary>The site of an inline cache that was reached empty; negative: none.</summary>
    public int OpenInlineCache;

    private static int Offset(string field) => (int)Marshal.OffsetOf<EngineRoom>(field);

    public static readonly Operand JumpCacheField = Operand.Field(Offset(nameof(JumpCache))), BudgetField = Operand.Field(Offset(nameof(Budget))),
        OpenInlineCacheField = Operand.Field(Offset(nameof(OpenInlineCache))), SiteField = Operand.Field(Offset(nameof(Site))),
        ExitCodeField = Operand.Field(Offset(nameof(ExitCode))), FlagKindField = Operand.Field(Offset(nameof(FlagKind))),
        FlagXField = Operand.Field(Offset(nameof(FlagX))), FlagYField = Operand.Field(Offset(nameof(FlagY))),
        CarryInField = Operand.Field(Offset(nameof(CarryIn))), OtherCarryField = Operand.Field(Offset(nameof(OtherCarry))),
        OtherOverflowField = Operand.Field(Offset(nameof(OtherOverflow))), OtherZeroField = Operand.Field(Offset(nameof(OtherZero))),
        FlagIncrementField = Operand.Field(Offset(nameof(FlagIncrement))), TargetField = Operand.Field(Offset(nameof(Target))),
        HostFlagsField = Operand.Field(Offset(nameof(HostFlags))), SlowAddressField = Operand.Field(Offset(nameof(SlowAddress))),
        BufferField = Operand.Field(Offset(nameof(Buffer))), HostStackField = Operand.Field(Offset(nameof(HostStack))),
        SavedAddressField = Operand.Field(Offset(nameof(SavedAddress))), SavedValueField = Operand.Field(Offset(nameof(SavedValue))),
        HostMxcsrField = Operand.Field(Offset(nameof(HostMxcsr))), SavedOtherField = Operand.Field(Offset(nameof(SavedOther)));
}

/// <summary>Offsets of the architectural state in the frame.</summary>
internal static class StateField
{
    private static readonly VcpuState[] s_sample = new VcpuState[1];

    public static readonly Operand Rip = Field(OffsetOf(ref s_sample[0].Rip)), SystemFlags = Field(OffsetOf(ref s_sample[0].SystemFlags)), Mxcsr = Field(OffsetOf(ref s_sample[0].Mxcsr)),
        X87Control = Field(OffsetOf(ref s_sample[0].X87Control));
    private static readonly int s_xmm = OffsetOf(ref s_sample[0].Xmm), s_segments = OffsetOf(ref s_sample[0].Segments), s_base = OffsetOfBase();

    public static Operand General(int guest) => Field(guest * 8);
    /// <summary>The second byte of RAX, RCX, RDX or RBX.</summary>
    public static Operand HighByte(int guest) => Field(guest * 8 + 1);
    public static Operand Xmm(int number) => Field(s_xmm + number * 16);
    public static Operand SegmentBase(int segment) => Field(s_segments + segment * Unsafe.SizeOf<SegmentRegister>() + s_base);

    private static Operand Field(int offset) => Operand.Field(VcpuFrame.StateOffset + offset);

    private static int OffsetOf<T>(ref T field) => (int)Unsafe.ByteOffset(ref Unsafe.As<VcpuState, byte>(ref s_sample[0]), ref Unsafe.As<T, byte>(ref field));

    private static int OffsetOfBase()
    {
        var register = default(SegmentRegister);
        return (int)Unsafe.ByteOffset(ref Unsafe.As<SegmentRegister, byte>(ref register), ref Unsafe.As<ulong, byte>(ref register.Base));
    }
}

/// <summary>Offsets in an entry of the soft TLB and in a window: worked out once, as the code of every access has them.</summary>
internal static class TlbOffset
{
    public static readonly int ReadTag = Of<TlbEntry>(nameof(TlbEntry.ReadTag)), WriteTag = Of<TlbEntry>(nameof(TlbEntry.WriteTag)), Addend = Of<TlbEntry>(nameof(TlbEntry.Addend)),
        WindowStart = Of<TlbWindow>(nameof(TlbWindow.Start)), WindowSize = Of<TlbWindow>(nameof(TlbWindow.Size)), WindowHost = Of<TlbWindow>(nameof(TlbWindow.Host)),
        WindowPatience = Of<TlbWindow>(nameof(TlbWindow.Patience));

    private static int Of<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
