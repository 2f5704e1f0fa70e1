using System;
using System.Buffers;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Lines;

/// <summary>Runs a line program (DWARF 5, 6.2.5). Every row takes at least a byte of the program, so that its length bounds the rows.</summary>
internal ref struct LineProgram
{
    internal const int MaximumRows = 1 << 24;

    private readonly LineHeader _header;
    private LineRow[] _rows;
    private int _rowCount;
    private readonly List<LineSequence> _sequences;
    private readonly List<LineState>? _states;
    private readonly bool _isResumed;
    private DataReader _reader;
    private int _sequenceStart;
    private ulong _address;
    private uint _operationIndex, _file, _line, _column, _discriminator;
    private LineRowFlags _flags;

    private LineProgram(LineHeader header, ReadOnlySpan<byte> bytes, List<LineState>? states)
    {
        _header = header;
        _states = states;
        _reader = new DataReader(bytes, header.ProgramStart);
        // Borrowed until the rows are copied: millions of them would otherwise leave their growing behind.
        _rows = ArrayPool<LineRow>.Shared.Rent(Math.Clamp(bytes.Length / 2, 16, 1 << 12));
        _sequences = [];
        Reset();
    }

    private LineProgram(LineHeader header, ReadOnlySpan<byte> bytes, in LineState state, LineRow[] rows)
    {
        _header = header;
        _isResumed = true;
        _reader = new DataReader(bytes);
        _rows = rows;
        _sequences = [];
        (_, _address, _operationIndex, _file, _line, _column, _discriminator, _flags) = state;
    }

    /// <summary>Reads and runs the program at an offset of <c>.debug_line</c>; null if there is none.</summary>
    /// <param name="sections">The file's sections.</param>
    /// <param name="offset">Where the program starts.</param>
    /// <param name="addressSizeBytes">The unit's, for versions before 5.</param>
    /// <param name="compileDirectory">The unit's DW_AT_comp_dir, which relative directories are below.</param>
    /// <param name="sizeBytes">Bytes to the next program; 0 if that is unknown.</param>
    internal static LineTable? Read(DwarfSections sections, ulong offset, int addressSizeBytes, string compileDirectory, out ulong sizeBytes)
    {
        byte[] buffer = [];
        LineHeader? header = LineHeaderParser.Read(sections, offset, addressSizeBytes, false, ref buffer, out ReadOnlyMemory<byte> bytes, out sizeBytes);
        if (header is null) return null;
        if (!header.IsComplete) return new LineTable(header, [], 0, [], compileDirectory);
        LineProgram program = Run(sections, header, bytes.Span, null);
        LineRow[] rows = program._rows.AsSpan(0, program._rowCount).ToArray();
        ArrayPool<LineRow>.Shared.Return(program._rows);
        return new LineTable(header, rows, rows.Length, [.. program._sequences], compileDirectory);
    }

    /// <summary>Runs the program at an offset to its end, and keeps only places from which it can be gone on with; null if there is none.</summary>
    internal static LinePoints? ReadPoints(DwarfSections sections, ulong offset, int addressSizeBytes, string compileDirectory)
    {
        byte[] buffer = [];
        if (Borrow(sections, offset, addressSizeBytes, compileDirectory, ref buffer) is not { } table) return null;
        LinePoints points = LinePoints.Of(table, sections);
        table.GiveBack();
        return points;
    }

    /// <summary>As <see cref="Read"/>, with the places from which it can be gone on with; used at once and given back: <see cref="LineTable.GiveBack"/>.</summary>
    /// <param name="sections">The file's sections.</param>
    /// <param name="offset">Where the program starts.</param>
    /// <param name="addressSizeBytes">The unit's, for versions before 5.</param>
    /// <param name="compileDirectory">The unit's DW_AT_comp_dir.</param>
    /// <param name="buffer">Takes the program, and is used again and again.</param>
    internal static LineTable? Borrow(DwarfSections sections, ulong offset, int addressSizeBytes, string compileDirectory, ref byte[] buffer)
    {
        LineHeader? header = LineHeaderParser.Read(sections, offset, addressSizeBytes, false, ref buffer, out ReadOnlyMemory<byte> bytes, out _);
        if (header is null) return null;
        if (!header.IsComplete) return new LineTable(header, [], 0, [], compileDirectory);
        LineProgram program = Run(sections, header, bytes.Span, []);
        return new LineTable(header, program._rows, program._rowCount, [.. program._sequences], compileDirectory) { States = program._states! };
    }

    private static LineProgram Run(DwarfSections sections, LineHeader header, ReadOnlySpan<byte> bytes, List<LineState>? states)
    {
        var program = new LineProgram(header, bytes, states);
        if (program.Run() is { } problem) sections.Diagnostics.Add(sections.Line.Name, header.Offset, problem);
        return program;
    }

    /// <summary>Goes on with a program; how many rows it made, at most those asked for.</summary>
    /// <param name="header">The program's.</param>
    /// <param name="bytes">From the opcode of the state on.</param>
    /// <param name="state">What to go on with.</param>
    /// <param name="count">So many rows are wanted.</param>
    /// <param name="rows">Takes them, and has the room.</param>
    internal static int Resume(LineHeader header, ReadOnlySpan<byte> bytes, in LineState state, int count, LineRow[] rows)
    {
        var program = new LineProgram(header, bytes, state, rows);
        while (program._rowCount < count && !program._reader.AtEnd) program.Step();
        return program._rowCount;
    }

    private void Step()
    {
        byte opcode = _reader.U8();
        if (opcode >= _header.OpcodeBase) Special(opcode);
        else if (opcode == 0) Extended();
        else Standard(opcode);
    }

    private string? Run()
    {
        while (!_reader.AtEnd)
        {
            if (_states is not null && _rowCount == _states.Count * LinePoints.RowsPerPoint)
                _states.Add(new LineState(_reader.Position, _address, _operationIndex, _file, _line, _column, _discriminator, _flags));
            Step();
            if (_reader.Failed) return "The line program ends within an opcode.";
            if (_rowCount >= MaximumRows) return "The line program has too many rows: the rest is not read.";
        }
        return _sequenceStart == _rowCount ? null : "The line program ends within a sequence: its last rows have no end.";
    }

    private void Reset()
    {
        _address = 0;
        _operationIndex = 0;
        _file = 1;
        _line = 1;
        _column = 0;
        _discriminator = 0;
        _flags = _header.DefaultIsStatement ? LineRowFlags.IsStatement : LineRowFlags.None;
    }

    private void AddRow()
    {
        if (_rowCount == _rows.Length)
        {
            LineRow[] larger = ArrayPool<LineRow>.Shared.Rent(_rowCount * 2);
            _rows.CopyTo(larger, 0);
            ArrayPool<LineRow>.Shared.Return(_rows);
            _rows = larger;
        }
        _rows[_rowCount++] = new LineRow(_address, _file, _line, _column, _discriminator, (byte)_operationIndex, _flags);
        _discriminator = 0;
        _flags &= LineRowFlags.IsStatement;
    }

    // DWARF 5, 6.2.5.1.
    private void Advance(ulong operations)
    {
        if (_header.MaximumOperationsPerInstruction == 1)
        {
            _address += _header.MinimumInstructionLength * operations;
            return;
        }
        ulong index = _operationIndex + operations;
        _address += _header.MinimumInstructionLength * (index / _header.MaximumOperationsPerInstruction);
        _operationIndex = (uint)(index % _header.MaximumOperationsPerInstruction);
    }

    private void Special(byte opcode)
    {
        int adjusted = opcode - _header.OpcodeBase;
        Advance((ulong)(adjusted / _header.LineRange));
        _line += (uint)(_header.LineBase + (adjusted % _header.LineRange));
        AddRow();
    }

    private void Standard(byte opcode)
    {
        switch (opcode)
        {
            case 1: // DW_LNS_copy
                AddRow();
                break;
            case 2: // DW_LNS_advance_pc
                Advance(_reader.Uleb());
                break;
            case 3: // DW_LNS_advance_line
                _line += (uint)_reader.Sleb();
                break;
            case 4: // DW_LNS_set_file
                _file = (uint)_reader.Uleb();
                break;
            case 5: // DW_LNS_set_column
                _column = (uint)_reader.Uleb();
                break;
            case 6: // DW_LNS_negate_stmt
                _flags ^= LineRowFlags.IsStatement;
                break;
            case 7: // DW_LNS_set_basic_block
                _flags |= LineRowFlags.BasicBlock;
                break;
            case 8: // DW_LNS_const_add_pc
                Advance((ulong)((255 - _header.OpcodeBase) / _header.LineRange));
                break;
            case 9: // DW_LNS_fixed_advance_pc
                _address += _reader.U16();
                _operationIndex = 0;
                break;
            case 10: // DW_LNS_set_prologue_end
                _flags |= LineRowFlags.PrologueEnd;
                break;
            case 11: // DW_LNS_set_epilogue_begin
                _flags |= LineRowFlags.EpilogueBegin;
                break;
            default: // DW_LNS_set_isa, and what a later version may define: the header says how many arguments to skip.
                for (int i = 0; i < _header.StandardOpcodeLengths[opcode]; i++) _reader.Uleb();
                break;
        }
    }

    private void Extended()
    {
        ulong length = _reader.Uleb();
        if (length > (ulong)_reader.Remaining) _reader.Fail();
        if (length == 0 || _reader.Failed) return;
        int end = _reader.Position + (int)length;
        switch (_reader.U8())
        {
            case 1: // DW_LNE_end_sequence
                EndSequence();
                break;
            case 2: // DW_LNE_set_address: as many bytes as the opcode has, whatever the header says.
                _address = length is > 1 and <= 9 ? _reader.Unsigned((int)length - 1) : 0;
                _operationIndex = 0;
                break;
            case 3: // DW_LNE_define_file
                if (LineHeaderParser.ReadFile(ref _reader) is { } file && !_isResumed) _header.Define(file);
                break;
            case 4: // DW_LNE_set_discriminator
                _discriminator = (uint)_reader.Uleb();
                break;
            default: // of a vendor, as DW_LNE_lo_user
                break;
        }
        if (!_reader.Failed) _reader.Seek((ulong)end);
    }

    private void EndSequence()
    {
        _flags |= LineRowFlags.EndSequence;
        AddRow();
        if (_isResumed)
        {
            Reset();
            return;
        }
        int count = _rowCount - _sequenceStart;
        ulong start = _rows[_sequenceStart].Address;
        if (IsOrdered(_sequenceStart, count) && start < _address)
            _sequences.Add(new LineSequence(new AddressRange(start, _address), _sequenceStart, count));
        else if (count > 1) AddSorted(count);
        _sequenceStart = _rowCount;
        Reset();
    }

    private readonly bool IsOrdered(int first, int count)
    {
        for (int i = first + 1; i < first + count; i++)
            if (_rows[i].Address < _rows[i - 1].Address) return false;
        return true;
    }

    // Addresses within a sequence must grow (6.2.5), but hand-written assembly with .loc and .org can step back. Such a sequence is
    // left in the rows as it is and not used for look-ups, unless its growing parts are found: each becomes a sequence of its own.
    private readonly void AddSorted(int count)
    {
        int start = _sequenceStart;
        for (int i = start + 1; i < _sequenceStart + count; i++)
        {
            bool isLast = i == _sequenceStart + count - 1;
            bool breaks = _rows[i].Address < _rows[i - 1].Address;
            if (!breaks && !isLast) continue;
            int end = breaks ? i - 1 : i;
            if (_rows[end].Address > _rows[start].Address)
                _sequences.Add(new LineSequence(new AddressRange(_rows[start].Address, _rows[end].Address), start, end - start + 1));
            start = i;
        }
    }
}
