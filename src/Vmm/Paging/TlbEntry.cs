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
/// Linear addresses that are next to each other in the host, too: an access of generated code that begins in them needs no TLB. Two hold the page that was reached last through RSP
/// and through RBP, if it may be read and written; the others hold what large pages map (a kernel's map of all memory, its image), for loads only, since the first store to each page
/// must be noticed. 32 bytes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TlbWindow
{
    /// <summary>The first linear address, at the start of a page.</summary>
    public ulong Start;
    /// <summary>Accesses that begin at lower offsets stay in the window whatever their size; 0: it is closed.</summary>
    public ulong Size;
    /// <summary>Where the first byte is in the host.</summary>
    public nint Host;
    /// <summary>How many more accesses may miss a window for loads before it is opened elsewhere.</summary>
    public long Patience;

    /// <summary>Their numbers, and how many a TLB has.</summary>
    public const int OfStackPointer = 0, OfBasePointer = 1, OfLowHalf = 2, OfHighHalf = 3, Count = 4;
    /// <summary>No access, or group of accesses, is wider: this much before the end of a window for loads its size ends.</summary>
    public const int WidestAccess = 256;
    /// <summary>The same for one with a page; wider groups look themselves.</summary>
    public const int WidestOfStack = 16;
    /// <summary>Of one with a page.</summary>
    public const int PageSize = 4096 - WidestOfStack + 1;

    /// <summary>
    /// Which of the windows for loads an address may be in: by bit 46, which tells Linux's map of all memory from its image, and everything of small kernels from nothing.
    /// </summary>
    public static int ForLoad(ulong linear) => (linear >> 46 & 1) == 0 ? OfLowHalf : OfHighHalf;
}
