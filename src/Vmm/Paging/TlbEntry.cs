using System.Runtime.InteropServices;

namespace Vmm.Paging;

/// <summary>
/// One entry of a vCPU's soft TLB: a linear page whose loads, or loads and stores, go straight to host memory. Tags are page addresses;
/// <see cref="NoTag"/> never equals one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TlbEntry
{
    public const ulong NoTag = 1;

    /// <summary>Values of <see cref="PageIndex"/>: never filled since the last flush; filled, and emptied again.</summary>
    public const long NoPage = -1, Dropped = -2;

    public static TlbEntry Empty => new() { ReadTag = NoTag, WriteTag = NoTag, PageIndex = NoPage };

    public ulong ReadTag;
    public ulong WriteTag;
    /// <summary>Host address minus linear address.</summary>
    public nint Addend;
    /// <summary>RAM page, to find the entry when the page gets traits; -1 when empty.</summary>
    public long PageIndex;
}

/// <summary>
/// The page that generated code reached last through RSP or RBP: an access that stays in it needs no TLB. Only pages that may be read and written have one. 24 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TlbWindow
{
    /// <summary>Linear address of the page.</summary>
    public ulong Page;
    /// <summary>Accesses that begin at lower offsets stay in the page whatever their size; 0: there is no page.</summary>
    public ulong Size;
    /// <summary>Where the page is in the host.</summary>
    public nint Host;

    /// <summary>Their numbers, and how many a TLB has.</summary>
    public const int OfStackPointer = 0, OfBasePointer = 1, Count = 2;
    /// <summary>Of one with a page: no access is wider than 16 bytes.</summary>
    public const int FilledSize = 4096 - 15;
}
