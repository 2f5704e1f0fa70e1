using System;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>
/// Walks a unit's DIEs in order, without recursion, so that nesting costs no stack. Attributes are those of the current DIE. What is read of the unit is what the walk
/// goes over, whatever the unit's size.
/// </summary>
internal ref struct DieCursor
{
    // What is read at once: a little for one entry, more for a walk.
    private const int FirstWindowBytes = 128, LastWindowBytes = 1 << 14, WindowFactor = 4;

    private readonly UnitHeader _unit;
    private readonly AbbreviationTable _abbreviations;
    private readonly SectionData? _section;
    private int _origin, _windowBytes;
    private bool _isRest;
    private DataReader _reader, _attributes;
    private Abbreviation _current;
    private AttributeValue[] _values;
    private bool _isAtEntry, _isPassed, _areValuesRead, _areChildrenSkipped;

    /// <param name="unit">The unit's header.</param>
    /// <param name="abbreviations">Its abbreviations.</param>
    /// <param name="bytes">The whole unit, header included: positions are distances from the unit's start. Or its first bytes.</param>
    /// <param name="position">Where in the bytes the first DIE to read is.</param>
    internal DieCursor(UnitHeader unit, AbbreviationTable abbreviations, ReadOnlySpan<byte> bytes, int position)
    {
        _unit = unit;
        _abbreviations = abbreviations;
        _isRest = true;
        _reader = new DataReader(bytes, position);
        _values = [];
    }

    /// <param name="unit">The unit's header.</param>
    /// <param name="abbreviations">Its abbreviations.</param>
    /// <param name="section">Where the unit is, which is read as the walk goes on.</param>
    /// <param name="position">Where in the unit the first DIE to read is; behind the unit's header.</param>
    internal DieCursor(UnitHeader unit, AbbreviationTable abbreviations, SectionData section, int position)
    {
        _unit = unit;
        _abbreviations = abbreviations;
        _section = section;
        _origin = position;
        _values = [];
    }

    /// <summary>Why the walk ended early; null if it did not.</summary>
    internal string? Problem { get; private set; }

    /// <summary>How deep the current DIE is; the first one is at 0.</summary>
    internal int Depth { get; private set; }

    /// <summary>Where the current DIE starts.</summary>
    internal int Position { get; private set; }

    internal readonly DwTag Tag => _current.Tag;

    internal readonly bool HasChildren => _current.HasChildren;

    /// <summary>Goes to the next DIE that is not inside of the current one; false as <see cref="MoveNext"/>.</summary>
    internal bool MoveNextSibling()
    {
        if (!_current.HasChildren) return MoveNext();
        int depth = Depth;
        if (depth > 0 && TrySkipChildren()) return MoveNext();
        while (MoveNext())
            if (Depth <= depth) return true;
        return false;
    }

    /// <summary>Goes to the next DIE; false at the end of the tree or where it is damaged.</summary>
    internal bool MoveNext()
    {
        if (_isAtEntry)
        {
            PassAttributes();
            if (Problem is not null) return false;
            if (_current.HasChildren && !_areChildrenSkipped) Depth++;
            else if (Depth == 0) return false;
            _areChildrenSkipped = false;
        }
        while (IsMore())
        {
            Position = _origin + _reader.Position;
            ulong code = _reader.Uleb();
            while (_reader.Failed && Load(Position)) code = _reader.Uleb();
            if (_reader.Failed) break;
            if (code != 0) return Start(code);
            // The end of a list of children.
            if (--Depth <= 0) return false;
        }
        if (_reader.Failed || Depth > 0) Problem = "The unit's tree of entries is cut off.";
        return false;
    }

    /// <summary>The attribute of the current DIE, or one that is not present.</summary>
    internal AttributeValue Attribute(DwAt name)
    {
        if (!_isAtEntry) return default;
        ReadOnlySpan<AttributeShape> shapes = _abbreviations.AttributesOf(_current);
        int index = 0;
        while (index < shapes.Length && shapes[index].Name != name) index++;
        if (index == shapes.Length) return default;
        if (_areValuesRead) return _values[index];
        ref readonly AttributeShape shape = ref shapes[index];
        if (shape.Distance >= 0)
        {
            // Where it is depends on nothing: the others need not be read.
            DataReader reader = _attributes;
            reader.Skip((ulong)shape.Distance);
            AttributeValue value = Placed(FormReader.Read(ref reader, shape.Form, shape.ImplicitConstant, _unit));
            if (!reader.Failed) return value;
        }
        ReadAttributes(shapes);
        return _values[index];
    }

    /// <summary>
    /// Goes over everything below the current DIE, if it says where its next sibling is (DW_AT_sibling, which points forwards);
    /// false if it does not, and the cursor has not moved.
    /// </summary>
    internal bool TrySkipChildren()
    {
        if (!_isAtEntry || !_current.HasChildren || Attribute(DwAt.Sibling) is not { IsUnitReference: true } next) return false;
        PassAttributes();
        if (Problem is not null || next.Value <= (ulong)(_origin + _reader.Position)) return false;
        ulong end = (ulong)(_reader.Position + _reader.Remaining);
        if (next.Value - (ulong)_origin <= end) _reader.Seek(next.Value - (ulong)_origin);
        else if (_isRest || next.Value > EndOfUnit || !Load((int)next.Value)) return false;
        _areChildrenSkipped = true;
        return true;
    }

    private readonly ulong EndOfUnit => _section is null ? _unit.SizeBytes : Math.Min(_unit.SizeBytes, _section.Length - Math.Min(_section.Length, _unit.Offset));

    // Blocks and strings are placed in the unit, whatever is read of it.
    private readonly AttributeValue Placed(in AttributeValue value) =>
        _origin != 0 && (value.IsBlock || value.Form == DwForm.String) ? value with { Value = value.Value + (ulong)_origin } : value;

    private bool IsMore()
    {
        if (_reader.AtEnd) Load(_origin + _reader.Position);
        return !_reader.AtEnd;
    }

    // Reads more of the unit, from a position on; false: there is no more than what was read from there.
    private bool Load(int position)
    {
        if (_isRest || (ulong)position > EndOfUnit) return false;
        ulong rest = EndOfUnit - (ulong)position;
        // An entry that is longer than what was read of it is read again in a larger piece.
        bool isAgain = position == _origin && _windowBytes > 0;
        _windowBytes = _windowBytes == 0 ? FirstWindowBytes : isAgain || _windowBytes < LastWindowBytes ? (int)Math.Min(_windowBytes * (long)WindowFactor, Array.MaxLength) : _windowBytes;
        _isRest = (ulong)_windowBytes >= rest;
        _reader = new DataReader(_section!.Bytes(_unit.Offset + (ulong)position, (int)Math.Min((ulong)_windowBytes, rest)));
        _origin = position;
        return true;
    }

    private bool Start(ulong code)
    {
        _isAtEntry = _abbreviations.TryFind(code, out _current);
        if (!_isAtEntry)
        {
            Problem = $"Abbreviation {code} does not exist: the rest of the unit is not read.";
            return false;
        }
        _attributes = _reader;
        _isPassed = false;
        _areValuesRead = false;
        if (!_isRest) BringIn();
        return true;
    }

    // All of the entry is to be in what was read.
    private void BringIn()
    {
        Pass();
        while (_reader.Failed && Load(Position))
        {
            _reader.Uleb();
            _attributes = _reader;
            Pass();
        }
        if (_reader.Failed) _reader = _attributes;
        else _isPassed = true;
    }

    private void PassAttributes()
    {
        if (_isPassed) return;
        _isPassed = true;
        Pass();
        if (_reader.Failed) Problem ??= "An attribute is cut off or of an unknown form: the rest of the unit is not read.";
    }

    private void Pass()
    {
        if (_current.SizeBytes >= 0)
        {
            _reader.Skip((ulong)_current.SizeBytes);
        }
        else
        {
            foreach (ref readonly AttributeShape shape in _abbreviations.AttributesOf(_current))
            {
                if (shape.SizeBytes >= 0) _reader.Skip((ulong)shape.SizeBytes);
                else if (shape.SizeBytes == FormReader.Leb) _reader.SkipLeb();
                else FormReader.Read(ref _reader, shape.Form, shape.ImplicitConstant, _unit);
            }
        }
    }

    private void ReadAttributes(scoped ReadOnlySpan<AttributeShape> shapes)
    {
        _areValuesRead = true;
        if (_values.Length < shapes.Length) _values = new AttributeValue[Math.Max(16, shapes.Length)];
        DataReader reader = _attributes;
        for (int i = 0; i < shapes.Length; i++)
        {
            _values[i] = Placed(FormReader.Read(ref reader, shapes[i].Form, shapes[i].ImplicitConstant, _unit));
            if (!reader.Failed) continue;
            Problem = $"An attribute of form 0x{(int)shapes[i].Form:x} is cut off or unknown: the rest of the unit is not read.";
            Array.Clear(_values, i, shapes.Length - i);
            break;
        }
        _reader = reader;
        _isPassed = true;
    }
}
