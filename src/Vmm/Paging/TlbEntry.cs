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
