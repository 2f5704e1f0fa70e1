using System;
using System.Collections.Generic;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf.Frames;

/// <summary>
/// One section of call frame information, <c>.debug_frame</c> (DWARF 5, 6.4) or <c>.eh_frame</c> (Linux Standard Base, 10.6):
/// from an address to the rules that give the caller's registers.
/// </summary>
public sealed class CallFrameInfo
{
    private readonly SectionData _section;
    private readonly DiagnosticLog _diagnostics;
    private readonly bool _isEhFrame;
    private readonly int _addressSizeBytes;
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly Dictionary<ulong, CommonInformation?> _commons = [];
    private readonly List<FrameDescription> _descriptions = [];
    private readonly RangeMap _map;

    private CallFrameInfo(ElfImage image, SectionData section, bool isEhFrame)
    {
        _section = section;
        _diagnostics = image.Diagnostics;
        _isEhFrame = isEhFrame;
        _addressSizeBytes = image.Header.AddressSizeBytes;
        _bytes = section.All();
        ReadEntries();
        var entries = new List<RangeMap.Entry>();
        for (int i = 0; i < _descriptions.Count; i++)
            if (image.IsMapped(_descriptions[i].Range.Start)) entries.Add(new RangeMap.Entry(_descriptions[i].Range, i));
        _map = new RangeMap(entries);
    }

    /// <summary>All entries in the section's order.</summary>
    public IReadOnlyList<FrameDescription> Descriptions => _descriptions;

    /// <summary>Reads <c>.debug_frame</c>; empty if there is none.</summary>
    public static CallFrameInfo OpenDebugFrame(ElfImage image) => new(image, image.Data(".debug_frame"), false);

    /// <summary>Reads <c>.eh_frame</c>; empty if there is none.</summary>
    public static CallFrameInfo OpenEhFrame(ElfImage image) => new(image, image.Data(".eh_frame"), true);

    /// <summary>The entry for the address; null if there is none.</summary>
    public FrameDescription? Find(ulong address) => _map.TryFind(address, out int index) ? _descriptions[index] : null;

    /// <summary>The rules at the address; null if nothing is known about it or its entry is damaged before it.</summary>
    public UnwindRow? FindRow(ulong address, out FrameDescription? description)
    {
        description = Find(address);
        if (description is null) return null;
        List<UnwindRow> rows = Rows(description);
        for (int i = rows.Count - 1; i >= 0; i--)
            if (rows[i].Address <= address) return rows[i];
        return null;
    }

    /// <summary>All rows of an entry's table.</summary>
    public List<UnwindRow> Rows(FrameDescription description)
    {
        var program = new CallFrameProgram(description.Common, _section.Address, description.Range.Start);
        if (program.Run(description) is { } problem) _diagnostics.Add(_section.Name, description.Offset, problem);
        return program.Rows;
    }

    private void ReadEntries()
    {
        int offset = 0;
        while (offset < _bytes.Length)
        {
            var reader = new DataReader(_bytes.Span, offset);
            ulong length = reader.InitialLength(out bool is64);
            if (reader.Failed || length > (ulong)reader.Remaining)
            {
                _diagnostics.Add(_section.Name, (ulong)offset, "The entry is cut off: the rest of the section is not read.");
                return;
            }
            int end = reader.Position + (int)length;
            // A length of zero ends the table of one object file in .eh_frame; linkers may leave several.
            if (length != 0 && TryCommonOffset(ref reader, is64, out bool isCommon, out ulong commonOffset) && !isCommon)
                ReadDescription(offset, reader.Position, end, commonOffset);
            offset = end;
        }
    }

    private bool TryCommonOffset(ref DataReader reader, bool is64, out bool isCommon, out ulong offset)
    {
        int place = reader.Position;
        // .eh_frame's pointers stay 4 bytes wide in practice, but the 64-bit format widens them as in .debug_frame.
        offset = reader.Offset(is64);
        ulong commonMark = _isEhFrame ? 0 : is64 ? ulong.MaxValue : uint.MaxValue;
        isCommon = offset == commonMark;
        if (_isEhFrame) offset = (ulong)place - offset;
        return !reader.Failed;
    }

    private void ReadDescription(int offset, int position, int end, ulong commonOffset)
    {
        if (CommonAt(commonOffset) is not { } common)
        {
            _diagnostics.Add(_section.Name, (ulong)offset, "The entry refers to a common entry that is not there or damaged.");
            return;
        }
        var reader = new DataReader(_bytes.Span[..end], position);
        ulong start = FramePointerEncoding.Read(ref reader, common.PointerEncoding, common.AddressSizeBytes, _section.Address, 0);
        // The size has the same format, but is relative to nothing.
        ulong size = FramePointerEncoding.Read(ref reader, (byte)(common.PointerEncoding & 0x0f), common.AddressSizeBytes, 0, 0);
        if (common.HasAugmentationSize) reader.Skip(reader.Uleb());
        if (reader.Failed)
        {
            _diagnostics.Add(_section.Name, (ulong)offset, "The entry is cut off, or its addresses have an unknown encoding.");
            return;
        }
        _descriptions.Add(new FrameDescription
        {
            Offset = (ulong)offset, Common = common, Range = AddressRange.FromSize(start, size),
            Instructions = _bytes[reader.Position..end], InstructionsOffset = (ulong)reader.Position,
        });
    }

    private CommonInformation? CommonAt(ulong offset)
    {
        if (_commons.TryGetValue(offset, out CommonInformation? common)) return common;
        common = offset < (ulong)_bytes.Length ? ReadCommon((int)offset) : null;
        return _commons[offset] = common;
    }

    private CommonInformation? ReadCommon(int offset)
    {
        var start = new DataReader(_bytes.Span, offset);
        ulong length = start.InitialLength(out bool is64);
        if (start.Failed || length > (ulong)start.Remaining) return null;
        int end = start.Position + (int)length;
        var reader = new DataReader(_bytes.Span[..end], start.Position);
        bool isCommon = TryCommonOffset(ref reader, is64, out bool isMarked, out _) && isMarked;
        byte version = reader.U8();
        if (!isCommon || version is not (1 or 3 or 4)) return null;
        string augmentation = reader.String();
        int addressSize = _addressSizeBytes;
        if (augmentation == "eh") reader.Skip((ulong)_addressSizeBytes);
        if (version == 4)
        {
            addressSize = reader.U8();
            if (reader.U8() != 0 || addressSize is not (4 or 8)) return null; // segment selectors are not modelled
        }
        ulong codeAlignment = reader.Uleb();
        long dataAlignment = reader.Sleb();
        ulong returnRegister = version == 1 ? reader.U8() : reader.Uleb();
        var common = new CommonInformation
        {
            Offset = (ulong)offset, Version = version, Augmentation = augmentation, AddressSizeBytes = addressSize,
            CodeAlignmentFactor = codeAlignment, DataAlignmentFactor = dataAlignment,
            ReturnAddressRegister = returnRegister < UnwindRow.RegisterCount ? (int)returnRegister : -1,
        };
        return ReadAugmentation(ref reader, common, end);
    }

    private CommonInformation? ReadAugmentation(ref DataReader reader, CommonInformation common, int end)
    {
        byte encoding = FramePointerEncoding.Absolute;
        bool isSignal = false;
        bool hasSize = common.Augmentation.StartsWith('z');
        ulong size = hasSize ? reader.Uleb() : 0;
        int data = reader.Position;
        foreach (char letter in hasSize ? common.Augmentation[1..] : common.Augmentation == "eh" ? "" : common.Augmentation)
        {
            if (letter == 'R') encoding = reader.U8();
            else if (letter == 'S') isSignal = true;
            else if (letter == 'L') reader.U8();
            else if (letter == 'P') FramePointerEncoding.Read(ref reader, (byte)(reader.U8() & 0x1f), common.AddressSizeBytes, 0, 0);
            // The size says how to go on after what is unknown.
            else if (hasSize) break;
            else return null;
        }
        if (hasSize) reader.Seek((ulong)data + Math.Min(size, int.MaxValue));
        if (reader.Failed) return null;
        return common with
        {
            IsSignalFrame = isSignal, HasAugmentationSize = hasSize, PointerEncoding = encoding,
            Instructions = _bytes[reader.Position..end], InstructionsOffset = (ulong)reader.Position,
        };
    }
}
