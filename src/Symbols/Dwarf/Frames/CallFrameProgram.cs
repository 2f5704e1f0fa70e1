using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Frames;

/// <summary>Runs call frame instructions (DWARF 5, 6.4.2 and 7.24) into the rows of an unwind table.</summary>
internal sealed class CallFrameProgram
{
    private const int MaximumRememberedStates = 64;
    private const int MaximumRows = 1 << 14;

    private readonly CommonInformation _common;
    private readonly ulong _sectionAddress;
    private readonly Stack<UnwindRow> _remembered = new();
    private UnwindRow _row;
    private UnwindRow _initial;

    internal CallFrameProgram(CommonInformation common, ulong sectionAddress, ulong start)
    {
        _common = common;
        _sectionAddress = sectionAddress;
        _row = new UnwindRow(start);
        _initial = _row;
    }

    internal List<UnwindRow> Rows { get; } = [];

    /// <summary>Fills <see cref="Rows"/>; what is wrong, or null. The rows before the damage are good.</summary>
    internal string? Run(FrameDescription description)
    {
        string? problem = Execute(_common.Instructions, _common.InstructionsOffset);
        _initial = _row.Copy();
        problem ??= Execute(description.Instructions, description.InstructionsOffset);
        if (problem is null) Rows.Add(_row);
        return problem;
    }

    private string? Execute(ReadOnlyMemory<byte> instructions, ulong offset)
    {
        var reader = new DataReader(instructions.Span);
        while (!reader.AtEnd)
        {
            byte opcode = reader.U8();
            int operand = opcode & 0x3f;
            string? problem = null;
            switch (opcode & 0xc0)
            {
                case 0x40: // DW_CFA_advance_loc
                    Advance((ulong)operand);
                    break;
                case 0x80: // DW_CFA_offset
                    SetOffset(operand, RegisterRuleKind.Offset, (long)reader.Uleb());
                    break;
                case 0xc0: // DW_CFA_restore
                    _row[operand] = _initial[operand];
                    break;
                default:
                    problem = opcode < 0x07 || opcode == 0x1d ? Move(ref reader, opcode, offset) : SetRule(ref reader, opcode, instructions);
                    break;
            }
            if (reader.Failed) return "The frame instructions are cut off.";
            if (problem is not null) return problem;
            if (Rows.Count > MaximumRows) return "The frame instructions give too many rows.";
        }
        return null;
    }

    private void Advance(ulong delta) => StartRow(_row.Address + (delta * _common.CodeAlignmentFactor));

    private void StartRow(ulong address)
    {
        Rows.Add(_row);
        _row = _row.Copy();
        _row.Address = address;
    }

    private string? Move(ref DataReader reader, byte opcode, ulong offset)
    {
        switch (opcode)
        {
            case 0x00: // DW_CFA_nop
                break;
            case 0x01: // DW_CFA_set_loc
                StartRow(FramePointerEncoding.Read(ref reader, _common.PointerEncoding, _common.AddressSizeBytes, _sectionAddress, offset));
                break;
            case 0x02: // DW_CFA_advance_loc1
                Advance(reader.U8());
                break;
            case 0x03: // DW_CFA_advance_loc2
                Advance(reader.U16());
                break;
            case 0x04: // DW_CFA_advance_loc4
                Advance(reader.U32());
                break;
            case 0x05: // DW_CFA_offset_extended
                SetOffset(Register(ref reader), RegisterRuleKind.Offset, (long)reader.Uleb());
                break;
            case 0x06: // DW_CFA_restore_extended
                int register = Register(ref reader);
                _row[register] = _initial[register];
                break;
            default:
                return Unknown(opcode);
        }
        return null;
    }

    private string? SetRule(ref DataReader reader, byte opcode, ReadOnlyMemory<byte> instructions)
    {
        switch (opcode)
        {
            case 0x07: // DW_CFA_undefined
                _row[Register(ref reader)] = new RegisterRule(RegisterRuleKind.Undefined, 0, default);
                break;
            case 0x08: // DW_CFA_same_value
                _row[Register(ref reader)] = new RegisterRule(RegisterRuleKind.SameValue, 0, default);
                break;
            case 0x09: // DW_CFA_register
                int target = Register(ref reader);
                _row[target] = new RegisterRule(RegisterRuleKind.Register, Register(ref reader), default);
                break;
            case 0x0a: // DW_CFA_remember_state
                if (_remembered.Count == MaximumRememberedStates) return "The frame instructions remember too many states.";
                _remembered.Push(_row.Copy());
                break;
            case 0x0b: // DW_CFA_restore_state
                if (!_remembered.TryPop(out UnwindRow? state)) return "The frame instructions restore a state that was not remembered.";
                _row.RestoreRules(state);
                break;
            case >= 0x0c and <= 0x0f or 0x12 or 0x13:
                SetCfa(ref reader, opcode, instructions);
                break;
            case 0x10: // DW_CFA_expression
                SetExpression(ref reader, RegisterRuleKind.Expression, instructions);
                break;
            case 0x11: // DW_CFA_offset_extended_sf
                SetOffset(Register(ref reader), RegisterRuleKind.Offset, reader.Sleb());
                break;
            case 0x14: // DW_CFA_val_offset
                SetOffset(Register(ref reader), RegisterRuleKind.ValueOffset, (long)reader.Uleb());
                break;
            case 0x15: // DW_CFA_val_offset_sf
                SetOffset(Register(ref reader), RegisterRuleKind.ValueOffset, reader.Sleb());
                break;
            case 0x16: // DW_CFA_val_expression
                SetExpression(ref reader, RegisterRuleKind.ValueExpression, instructions);
                break;
            case 0x2e: // DW_CFA_GNU_args_size: for exceptions thrown out of calls, not for unwinding
                reader.Uleb();
                break;
            case 0x2f: // DW_CFA_GNU_negative_offset_extended
                SetOffset(Register(ref reader), RegisterRuleKind.Offset, -(long)reader.Uleb());
                break;
            default:
                return Unknown(opcode);
        }
        return null;
    }

    private void SetCfa(ref DataReader reader, byte opcode, ReadOnlyMemory<byte> instructions)
    {
        switch (opcode)
        {
            case 0x0c: // DW_CFA_def_cfa
                _row.Cfa = new CfaRule(Register(ref reader), (long)reader.Uleb(), default);
                break;
            case 0x0d: // DW_CFA_def_cfa_register
                _row.Cfa = new CfaRule(Register(ref reader), _row.Cfa.Offset, default);
                break;
            case 0x0e: // DW_CFA_def_cfa_offset
                _row.Cfa = _row.Cfa with { Offset = (long)reader.Uleb() };
                break;
            case 0x0f: // DW_CFA_def_cfa_expression
                _row.Cfa = new CfaRule(-1, 0, Block(ref reader, instructions));
                break;
            case 0x12: // DW_CFA_def_cfa_sf
                _row.Cfa = new CfaRule(Register(ref reader), reader.Sleb() * _common.DataAlignmentFactor, default);
                break;
            default: // DW_CFA_def_cfa_offset_sf
                _row.Cfa = _row.Cfa with { Offset = reader.Sleb() * _common.DataAlignmentFactor };
                break;
        }
    }

    private void SetOffset(int register, RegisterRuleKind kind, long factored) =>
        _row[register] = new RegisterRule(kind, factored * _common.DataAlignmentFactor, default);

    private void SetExpression(ref DataReader reader, RegisterRuleKind kind, ReadOnlyMemory<byte> instructions)
    {
        int register = Register(ref reader);
        _row[register] = new RegisterRule(kind, 0, Block(ref reader, instructions));
    }

    private static ReadOnlyMemory<byte> Block(ref DataReader reader, ReadOnlyMemory<byte> instructions)
    {
        ulong size = reader.Uleb();
        int start = reader.Position;
        reader.Skip(size);
        return reader.Failed ? default : instructions.Slice(start, (int)size);
    }

    private static int Register(ref DataReader reader) => (int)Math.Min(reader.Uleb(), int.MaxValue);

    private static string Unknown(byte opcode) => $"Frame instruction 0x{opcode:x2} is unknown: the rest of the entry is not read.";
}
