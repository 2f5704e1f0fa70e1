using Introspection.State;
using Vmm.Paging;

namespace Introspection.Paging;

/// <summary>
/// Page-table isolation as 64-bit Linux has it: user mode has a top table of its own, in the page behind the kernel's; the program's part of both is the same
/// (arch/x86/entry/calling.h, PTI_USER_PGTABLE_BIT; arch/x86/mm/pti.c).
/// </summary>
public static class IsolatedTables
{
    /// <summary>What a user table's address has, and the kernel's has not.</summary>
    public const ulong UserTable = 0x1000;

    private const int ProgramEntries = 256;
    private const ulong Present = 1, AddressMask = 0xF_FFFF_FFFF_F000;
    private const int EntryBytes = 8;

    /// <summary>The top table that will be loaded when the program goes on at an address; without isolation the one that is.</summary>
    public static ulong RootInUserMode(GuestView view, ulong linear)
    {
        PagingControls controls = view.Paging;
        ulong user = controls.Root | UserTable;
        if (controls.Mode != PagingMode.FourLevel || user == controls.Root) return controls.Root;
        ulong index = (linear >> 39 & 0x1FF) * EntryBytes;
        ulong? own = view.ReadNumber(new MemoryPlace(controls.Root + index, IsPhysical: true), EntryBytes);
        ulong? other = view.ReadNumber(new MemoryPlace(user + index, IsPhysical: true), EntryBytes);
        // Tables of two processes that happen to be neighbours lead to different ones.
        bool isSame = (own & other & Present) != 0 && ((own ^ other) & AddressMask) == 0;
        return own is not null && other is not null && isSame ? user : controls.Root;
    }

    /// <summary>
    /// Two top tables are the user's and the kernel's of one program: loading one for the other enters or leaves the kernel, and is no switch to another program.
    /// </summary>
    /// <param name="view">Of a vCPU that loads them.</param>
    /// <param name="one">A table's address.</param>
    /// <param name="other">The other's.</param>
    public static bool AreHalves(GuestView view, ulong one, ulong other)
    {
        if ((one ^ other) != UserTable || view.Paging.Mode != PagingMode.FourLevel) return false;
        for (ulong entry = 0; entry < ProgramEntries * EntryBytes; entry += EntryBytes)
        {
            ulong? a = view.ReadNumber(new MemoryPlace(one + entry, IsPhysical: true), EntryBytes), b = view.ReadNumber(new MemoryPlace(other + entry, IsPhysical: true), EntryBytes);
            if (a is null || b is null) return false;
            // The first thing that is mapped tells: the kernel's table has the same, not to be executed.
            if (((a | b) & Present) != 0) return (a & b & Present) != 0 && ((a ^ b) & AddressMask) == 0;
        }
        return false;
    }
}
