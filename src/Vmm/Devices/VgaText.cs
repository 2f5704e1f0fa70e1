using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// The registers of a VGA (IBM PS/2 Hardware Interface Technical Reference, "Video subsystem") as text consoles use them,
/// at 0x3C0..0x3DF and, while it is set to monochrome, 0x3B4/0x3B5/0x3BA. It starts in mode 3, 80 by 25 in colour. Text
/// memory at 0xB8000 is ordinary RAM: a viewer reads it from there, with <see cref="StartOffset"/> and
/// <see cref="CursorOffset"/>. Not modelled: graphics modes, planes, fonts, the sense switches, interrupts.
/// </summary>
internal sealed class VgaText(IClock clock) : IBytePortDevice, ISnapshotted
{
    public const int FirstPort = 0x3B0;
    public const int PortCount = 0x30;

    // 640x400 at 70 Hz: 31,469 lines a second, 449 lines a frame, 400 of them shown; sync in lines 412 and 413.
    private const ulong LineNanoseconds = 31_778, ShownOfLineNanoseconds = 25_422;
    private const ulong LinesPerFrame = 449, ShownLines = 400, FirstSyncLine = 412, LastSyncLine = 413;

    private readonly byte[] _crtc =
    [
        0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00,
        0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF, 0, 0, 0, 0, 0, 0, 0,
    ];
    private readonly byte[] _attribute =
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
        0x0C, 0x00, 0x0F, 0x08, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    private readonly byte[] _sequencer = [0x03, 0x00, 0x03, 0x00, 0x02, 0, 0, 0];
    private readonly byte[] _graphics = [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x00, 0xFF, 0, 0, 0, 0, 0, 0, 0];
    private readonly byte[] _palette = new byte[768];

    private byte _crtcIndex, _attributeIndex = 0x20, _sequencerIndex, _graphicsIndex;
    private byte _miscellaneousOutput = 0x67, _featureControl, _pixelMask = 0xFF;
    private bool _attributeDataNext;
    private byte _paletteReadIndex, _paletteWriteIndex, _paletteComponent, _paletteState;

    public string SnapshotName => "vga";

    /// <summary>Where the screen begins, in characters from 0xB8000.</summary>
    public int StartOffset => _crtc[0x0C] << 8 | _crtc[0x0D];

    /// <summary>Where the cursor is, in characters from 0xB8000.</summary>
    public int CursorOffset => _crtc[0x0E] << 8 | _crtc[0x0F];

    /// <summary>Bit 5 of the cursor start register turns the cursor off.</summary>
    public bool IsCursorShown => (_crtc[0x0A] & 0x20) == 0;

    /// <summary>Bit 0 of the miscellaneous output register: the CRTC is at 0x3D4, else at 0x3B4.</summary>
    private bool IsColor => (_miscellaneousOutput & 1) != 0;

    /// <summary>The register number behind a port: CRTC ports of the other kind of display are nobody's (-1).</summary>
    private int Normalize(int port)
    {
        if (port is >= 0x3C0 and <= 0x3CF) return port;
        bool inColorRange = port is >= 0x3D0 and <= 0x3DF;
        if (inColorRange != IsColor || port < FirstPort) return -1;
        return inColorRange ? port : port + 0x20;
    }

    public byte ReadByte(int port)
    {
        switch (Normalize(port))
        {
            case 0x3C0: return _attributeIndex;
            case 0x3C1: return _attribute[_attributeIndex & 0x1F];
            case 0x3C2: return 0x10; // a colour display answers the sense
            case 0x3C4: return _sequencerIndex;
            case 0x3C5: return _sequencer[_sequencerIndex & 7];
            case 0x3C6: return _pixelMask;
            case 0x3C7: return _paletteState;
            case 0x3C8: return _paletteWriteIndex;
            case 0x3C9: return ReadPalette();
            case 0x3CA: return _featureControl;
            case 0x3CC: return _miscellaneousOutput;
            case 0x3CE: return _graphicsIndex;
            case 0x3CF: return _graphics[_graphicsIndex & 15];
            case 0x3D4: return _crtcIndex;
            case 0x3D5: return _crtc[_crtcIndex & 0x1F];
            case 0x3DA:
                _attributeDataNext = false;
                return InputStatus1();
            default: return 0xFF;
        }
    }

    private byte InputStatus1()
    {
        ulong inFrame = clock.NowNanoseconds % (LineNanoseconds * LinesPerFrame);
        ulong line = inFrame / LineNanoseconds;
        int status = 0;
        if (line >= ShownLines || inFrame % LineNanoseconds >= ShownOfLineNanoseconds) status |= 0x01;
        if (line is >= FirstSyncLine and <= LastSyncLine) status |= 0x08;
        return (byte)status;
    }

    public void WriteByte(int port, byte value)
    {
        switch (Normalize(port))
        {
            case 0x3C0: WriteAttribute(value); break;
            case 0x3C2: _miscellaneousOutput = value; break;
            case 0x3C4: _sequencerIndex = value; break;
            case 0x3C5: _sequencer[_sequencerIndex & 7] = value; break;
            case 0x3C6: _pixelMask = value; break;
            case 0x3C7:
                _paletteReadIndex = value;
                _paletteComponent = 0;
                _paletteState = 3;
                break;
            case 0x3C8:
                _paletteWriteIndex = value;
                _paletteComponent = 0;
                _paletteState = 0;
                break;
            case 0x3C9: WritePalette(value); break;
            case 0x3CE: _graphicsIndex = value; break;
            case 0x3CF: _graphics[_graphicsIndex & 15] = value; break;
            case 0x3D4: _crtcIndex = value; break;
            case 0x3D5: WriteCrtc(_crtcIndex & 0x1F, value); break;
            case 0x3DA: _featureControl = value; break;
        }
    }

    private void WriteCrtc(int index, byte value)
    {
        // Bit 7 of the vertical retrace end register protects the timing, but not line compare bit 8.
        if (index <= 7 && (_crtc[0x11] & 0x80) != 0)
        {
            if (index == 7) _crtc[7] = (byte)(_crtc[7] & ~0x10 | value & 0x10);
            return;
        }
        _crtc[index] = value;
    }

    private void WriteAttribute(byte value)
    {
        if (_attributeDataNext) _attribute[_attributeIndex & 0x1F] = value;
        else _attributeIndex = (byte)(value & 0x3F);
        _attributeDataNext = !_attributeDataNext;
    }

    private byte ReadPalette()
    {
        byte value = _palette[_paletteReadIndex * 3 + _paletteComponent];
        if (++_paletteComponent == 3)
        {
            _paletteComponent = 0;
            _paletteReadIndex++;
        }
        return value;
    }

    private void WritePalette(byte value)
    {
        _palette[_paletteWriteIndex * 3 + _paletteComponent] = (byte)(value & 0x3F);
        if (++_paletteComponent == 3)
        {
            _paletteComponent = 0;
            _paletteWriteIndex++;
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write("crtc", _crtc);
        writer.Write("attribute", _attribute);
        writer.Write("sequencer", _sequencer);
        writer.Write("graphics", _graphics);
        writer.Write("palette", _palette);
        writer.Write("crtcIndex", (uint)_crtcIndex);
        writer.Write("attributeIndex", (uint)_attributeIndex);
        writer.Write("sequencerIndex", (uint)_sequencerIndex);
        writer.Write("graphicsIndex", (uint)_graphicsIndex);
        writer.Write("miscellaneousOutput", (uint)_miscellaneousOutput);
        writer.Write("featureControl", (uint)_featureControl);
        writer.Write("pixelMask", (uint)_pixelMask);
        writer.Write("attributeDataNext", _attributeDataNext);
        writer.Write("paletteReadIndex", (uint)_paletteReadIndex);
        writer.Write("paletteWriteIndex", (uint)_paletteWriteIndex);
        writer.Write("paletteComponent", (uint)_paletteComponent);
        writer.Write("paletteState", (uint)_paletteState);
    }

    public void Restore(StateReader reader)
    {
        reader.Read("crtc", _crtc);
        reader.Read("attribute", _attribute);
        reader.Read("sequencer", _sequencer);
        reader.Read("graphics", _graphics);
        reader.Read("palette", _palette);
        _crtcIndex = reader.ReadByte("crtcIndex");
        _attributeIndex = reader.ReadByte("attributeIndex");
        _sequencerIndex = reader.ReadByte("sequencerIndex");
        _graphicsIndex = reader.ReadByte("graphicsIndex");
        _miscellaneousOutput = reader.ReadByte("miscellaneousOutput");
        _featureControl = reader.ReadByte("featureControl");
        _pixelMask = reader.ReadByte("pixelMask");
        _attributeDataNext = reader.ReadBoolean("attributeDataNext");
        _paletteReadIndex = reader.ReadByte("paletteReadIndex");
        _paletteWriteIndex = reader.ReadByte("paletteWriteIndex");
        _paletteComponent = (byte)(reader.ReadByte("paletteComponent") % 3);
        _paletteState = reader.ReadByte("paletteState");
    }
}
