using System.Text;

namespace Gdb.Packets;

/// <summary>
/// Takes the bytes of a connection apart: <c>$data#checksum</c>, acknowledgments and interrupts. Whatever comes, it keeps at most one packet in memory and finds
/// the next one.
/// </summary>
internal sealed class PacketDecoder
{
    /// <summary>Longest packet in either direction: what qSupported tells as PacketSize.</summary>
    public const int MaxSizeBytes = 0x4000;

    private const byte Escape = (byte)'}', EscapeMask = 0x20;

    private readonly StringBuilder _text = new();
    private Place _place;
    private byte _sum, _told;
    private bool _isEscaped, _isTooLong;

    private enum Place { Between, Data, FirstDigit, SecondDigit }

    /// <summary>Takes the next byte; true when it completes something.</summary>
    public bool TryAdd(byte value, out PacketInput input)
    {
        input = default;
        switch (_place)
        {
            case Place.Between:
                return TryBetween(value, out input);
            case Place.Data:
                AddData(value);
                return false;
            case Place.FirstDigit:
                int high = Hexadecimal.Digit((char)value);
                _told = (byte)(high << 4);
                _place = Place.SecondDigit;
                if (high >= 0) return false;
                break;
            default:
                int low = Hexadecimal.Digit((char)value);
                _place = Place.Between;
                if (low < 0 || (_told | low) != _sum || _isEscaped) break;
                input = _isTooLong ? new PacketInput(PacketInputKind.TooLong, "") : new PacketInput(PacketInputKind.Packet, _text.ToString());
                return true;
        }
        _place = Place.Between;
        input = new PacketInput(PacketInputKind.BadChecksum, "");
        return true;
    }

    private bool TryBetween(byte value, out PacketInput input)
    {
        input = default;
        switch (value)
        {
            case (byte)'$':
                Begin();
                return false;
            case (byte)'+':
                input = new PacketInput(PacketInputKind.Acknowledgment, "");
                return true;
            case (byte)'-':
                input = new PacketInput(PacketInputKind.Retransmission, "");
                return true;
            case 3:
                input = new PacketInput(PacketInputKind.Interrupt, "");
                return true;
            default:
                // Noise between packets means nothing.
                return false;
        }
    }

    private void Begin()
    {
        _text.Clear();
        _sum = 0;
        _isEscaped = _isTooLong = false;
        _place = Place.Data;
    }

    private void AddData(byte value)
    {
        if (value == '#')
        {
            _place = Place.FirstDigit;
            return;
        }
        if (value == '$')
        {
            // Data cannot hold it unescaped: the rest of the packet before was lost.
            Begin();
            return;
        }
        _sum += value;
        if (!_isEscaped && value == Escape)
        {
            _isEscaped = true;
            return;
        }
        byte plain = _isEscaped ? (byte)(value ^ EscapeMask) : value;
        _isEscaped = false;
        if (_text.Length < MaxSizeBytes) _text.Append((char)plain);
        else _isTooLong = true;
    }
}
