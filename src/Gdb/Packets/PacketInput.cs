namespace Gdb.Packets;

/// <summary>What bytes from gdb turned out to be ("Overview" of the GDB Remote Serial Protocol, gdb manual appendix E.1).</summary>
internal enum PacketInputKind
{
    Packet,
    /// <summary>"+"</summary>
    Acknowledgment,
    /// <summary>"-": please send that again.</summary>
    Retransmission,
    /// <summary>Byte 03h: stop running.</summary>
    Interrupt,
    /// <summary>A packet whose checksum is wrong, or no number.</summary>
    BadChecksum,
    /// <summary>A packet of more than <see cref="PacketDecoder.MaxSizeBytes"/>.</summary>
    TooLong,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">A packet's data without escapes, one character a byte (Latin-1); else empty.</param>
internal readonly record struct PacketInput(PacketInputKind Kind, string Text);
