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

    public ulong ReadTag;
    public ulong WriteTag;
    /// <summary>Host address minus linear address.</summary>
    public nint Addend;
    /// <summary>RAM page, to find the entry when the page gets traits; -1 when empty.</summary>
    public long PageIndex;
}
