using System;

namespace Vmm.Tests.Instructions;

/// <summary>What an instruction case can see and change: general, XMM and MMX registers, RIP, RFLAGS, MXCSR and one page of memory.</summary>
internal sealed class CaseState
{
    public const int PageSizeBytes = 4096;

    /// <summary>The page that holds the code, full of INT3 around it.</summary>
    public const ulong CodePage = 0x10_0000;
    /// <summary>Where the case's instruction starts: the middle, so that short branches reach both ways.</summary>
    public const ulong CodeStart = CodePage + 0x800;
    /// <summary>The data page; the pages around it are not mapped. In 64-bit mode it is also the base of GS.</summary>
    public const ulong Scratch = 0x20_0000;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8..R15.</summary>
    public ulong[] General { get; } = new ulong[16];
    public ulong Rip { get; set; } = CodeStart;
    public ulong RFlags { get; set; } = DefaultFlags;
    public byte[] ScratchPage { get; } = new byte[PageSizeBytes];
    public UInt128[] Xmm { get; } = new UInt128[16];
    public ulong[] Mm { get; } = new ulong[8];
    public uint Mxcsr { get; set; } = 0x1F80;
    /// <summary>One bit an MMX register: in use (the abridged tag word of FXSAVE). Cases start as if an MMX instruction had run before.</summary>
    public byte Tags { get; set; } = 0xFF;

    /// <summary>Bit 1 and IF, as in every user program.</summary>
    public const ulong DefaultFlags = 0x202;

    /// <summary>
    /// The state that a line starts from before its inputs are set: RSP in the middle of the scratch page, a different value in every other
    /// register (so that a wrong one shows), and a pattern without zeros in memory.
    /// </summary>
    public static CaseState Default(int bitness)
    {
        CaseState state = new();
        for (int register = 0; register < (bitness == 64 ? 16 : 8); register++)
        {
            ulong value = 0x0101_0101_0101_0101UL * (0xA0UL + (uint)register);
            state.General[register] = bitness == 64 ? value : (uint)value;
        }
        state.General[4] = Scratch + 0x800;
        for (int register = 0; register < (bitness == 64 ? 16 : 8); register++)
            state.Xmm[register] = new UInt128(0x0101_0101_0101_0101UL * (0xD0UL + (uint)register), 0x0101_0101_0101_0101UL * (0xC0UL + (uint)register));
        for (int register = 0; register < 8; register++) state.Mm[register] = 0x0101_0101_0101_0101UL * (0xE0UL + (uint)register);
        DefaultScratch.CopyTo(state.ScratchPage, 0);
        return state;
    }

    public CaseState Clone()
    {
        CaseState copy = new() { Rip = Rip, RFlags = RFlags, Mxcsr = Mxcsr, Tags = Tags };
        Xmm.CopyTo(copy.Xmm, 0);
        Mm.CopyTo(copy.Mm, 0);
        General.CopyTo(copy.General, 0);
        ScratchPage.CopyTo(copy.ScratchPage, 0);
        return copy;
    }

    private static byte[] DefaultScratch { get; } = BuildDefaultScratch();

    private static byte[] BuildDefaultScratch()
    {
        byte[] page = new byte[PageSizeBytes];
        for (int offset = 0; offset < page.Length; offset++) page[offset] = (byte)(1 + ((offset * 37) % 255));
        return page;
    }
}

/// <summary>How a case ended.</summary>
/// <param name="State">Everything it left behind.</param>
/// <param name="Vector">The exception that ended it, or <see cref="Completed"/>.</param>
/// <param name="ErrorCode">Its error code; 0 where the vector has none.</param>
/// <param name="FaultAddress">#PF: CR2.</param>
internal sealed record CaseOutcome(CaseState State, int Vector, uint ErrorCode, ulong FaultAddress)
{
    public const int Completed = -1;
    public const int TimedOut = -2;
}
