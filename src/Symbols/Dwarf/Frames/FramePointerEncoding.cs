using Symbols.Images;

namespace Symbols.Dwarf.Frames;

/// <summary>DW_EH_PE_*: how <c>.eh_frame</c> writes addresses (Linux Standard Base, 10.5.1).</summary>
internal static class FramePointerEncoding
{
    internal const byte Absolute = 0;
    internal const byte Omitted = 0xff;

    internal static ulong Read(ref DataReader reader, byte encoding, int addressSizeBytes, ulong sectionAddress, ulong sectionOffset)
    {
        if (encoding == Omitted) return 0;
        ulong place = sectionAddress + sectionOffset + (ulong)reader.Position;
        ulong value = (encoding & 0x0f) switch
        {
            0 => reader.Unsigned(addressSizeBytes),
            1 => reader.Uleb(),
            2 => reader.U16(),
            3 => reader.U32(),
            4 => reader.U64(),
            9 => (ulong)reader.Sleb(),
            10 => (ulong)reader.Signed(2),
            11 => (ulong)reader.Signed(4),
            12 => reader.U64(),
            _ => Unknown(ref reader),
        };
        switch (encoding & 0x70)
        {
            case 0x00:
                break;
            case 0x10: // DW_EH_PE_pcrel
                value += place;
                break;
            default: // relative to the text, the data or the function: not used for code addresses on x86
                reader.Fail();
                break;
        }
        // DW_EH_PE_indirect needs the program's memory; only personality routines have it, and they are not called here.
        return addressSizeBytes == 4 ? (uint)value : value;
    }

    private static ulong Unknown(ref DataReader reader)
    {
        reader.Fail();
        return 0;
    }
}
