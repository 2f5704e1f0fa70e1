using System.Collections.Generic;

namespace Gdb.Packets;

/// <summary>Puts data into a packet: <c>$data#checksum</c>, with escapes, without run-length encoding.</summary>
internal static class PacketEncoder
{
    /// <param name="text">One character a byte (Latin-1).</param>
    public static byte[] Encode(string text)
    {
        var packet = new List<byte>(text.Length + 4) { (byte)'$' };
        byte sum = 0;
        foreach (char c in text)
        {
            byte value = (byte)c;
            if (c is '#' or '$' or '}' or '*')
            {
                packet.Add((byte)'}');
                sum += (byte)'}';
                value ^= 0x20;
            }
            packet.Add(value);
            sum += value;
        }
        packet.Add((byte)'#');
        packet.Add((byte)Hexadecimal.Digits[sum >> 4]);
        packet.Add((byte)Hexadecimal.Digits[sum & 15]);
        return [.. packet];
    }
}
