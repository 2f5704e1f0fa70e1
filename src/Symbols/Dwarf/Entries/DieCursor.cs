using System;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>
/// Walks a unit's DIEs in order, without recursion, so that nesting costs no stack. Attributes are those of the current DIE.
/// </summary>
internal ref struct DieCursor
{
    private readonly UnitHeader _unit;
    private readonly AbbreviationTable _abbreviations;
    private readonly int _origin;
    private DataReader _reader, _attributes;
    private Abbreviation _current;
    private AttributeValue[] _values;
    private bool _isAtEntry, _isPassed, _areValuesRead, _areChildrenSkipped;

    /// <param name="unit">The unit's header.</param>
    /// <param name="abbreviations">Its abbreviations.</param>
    /// <param name="bytes">The whole unit, header included: positions are distances from the unit's start. Or a part of it.</param>
    /// <param name="position">Where in the bytes the first DIE to read is.</param>
    /// <param name="origin">Where in the unit the bytes start. Blocks and strings within entries are placed in the bytes, all else in the unit.</param>
    internal DieCursor(UnitHeader unit, AbbreviationTable abbreviations, ReadOnlySpan<byte> bytes, int position, int origin = 0)
    {
        _origin = origin;
        _unit = unit;
        _abbreviations = abbreviations;
        _reader = new DataReader(bytes, position);
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
        while (!_reader.AtEnd)
        {
            Position = _origin + _reader.Position;
            ulong code = _reader.Uleb();
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
            AttributeValue value = FormReader.Read(ref reader, shape.Form, shape.ImplicitConstant, _unit);
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
        if (next.Value <= (ulong)(_origin + _reader.Position)) return false;
        if (Problem is not null || next.Value - (ulong)_origin > (ulong)(_reader.Position + _reader.Remaining)) return false;
        _reader.Seek(next.Value - (ulong)_origin);
        _areChildrenSkipped = true;
        return true;
    }

    /// <summary>All of the current DIE is there; false: it is cut off, or has something unknown.</summary>
    internal bool IsWhole()
    {
        PassAttributes();
        return Problem is null;
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
        return true;
    }

    private void PassAttributes()
    {
        if (_isPassed) return;
        _isPassed = true;
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
        if (_reader.Failed) Problem ??= "An attribute is cut off or of an unknown form: the rest of the unit is not read.";
    }

    private void ReadAttributes(scoped ReadOnlySpan<AttributeShape> shapes)
    {
        _areValuesRead = true;
        if (_values.Length < shapes.Length) _values = new AttributeValue[Math.Max(16, shapes.Length)];
        DataReader reader = _attributes;
        for (int i = 0; i < shapes.Length; i++)
        {
            _values[i] = FormReader.Read(ref reader, shapes[i].Form, shapes[i].ImplicitConstant, _unit);
            if (!reader.Failed) continue;
            Problem = $"An attribute of form 0x{(int)shapes[i].Form:x} is cut off or unknown: the rest of the unit is not read.";
            Array.Clear(_values, i, shapes.Length - i);
            break;
        }
        _reader = reader;
        _isPassed = true;
    }
}
