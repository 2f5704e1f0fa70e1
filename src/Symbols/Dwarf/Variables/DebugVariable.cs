using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Types;
using Symbols.Elf;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Dwarf.Variables;

/// <summary>A variable or parameter (DW_TAG_variable, DW_TAG_formal_parameter; DWARF 5, 4.1). What it is is read when it is asked for.</summary>
public sealed class DebugVariable
{
    private const int MaximumNesting = 8;

    private readonly DieReference _place;
    private readonly DieReference? _function;
    private DebugType? _type;
    private string? _name;
    private bool _isNameRead;
    private bool? _isParameter;

    internal DebugVariable(DieReference place, DieReference? function)
    {
        _place = place;
        _function = function;
    }

    /// <summary>Where its entry is in <c>.debug_info</c>: what tells variables of a name apart.</summary>
    public ulong DieOffset => _place.Offset;

    /// <summary>Null: it has none, as parameters that nobody uses.</summary>
    public string? Name
    {
        get
        {
            if (_isNameRead) return _name;
            _isNameRead = true;
            return _name = EntryNames.Simple(_place);
        }
    }

    /// <summary>With namespaces and classes: <c>ns::Class::member</c>; of a local one, its name.</summary>
    public string? QualifiedName => _function is null ? EntryNames.Qualified(_place.Unit, _place.Offset) : Name;

    /// <summary>The mangled name, where there is one.</summary>
    public string? LinkageName => Find(DwAt.LinkageName, DwAt.MipsLinkageName) is var (value, unit) ? unit.StringOf(value) : null;

    public DebugType Type => _type ??= _place.Unit.Owner.Types.Reader.TypeOf(_place);

    /// <summary>The type with the sizes that it has in a frame: of a variable-length array how many elements there are.</summary>
    public DebugType TypeIn(ILocationContext context) => FrameTypes.Of(Type, context, _function);

    public bool IsParameter
    {
        get
        {
            if (_isParameter is { } known) return known;
            DieCursor cursor = _place.Unit.CursorAt(_place.Offset);
            _isParameter = cursor.MoveNext() && cursor.Tag == DwTag.FormalParameter;
            return _isParameter.Value;
        }
    }

    /// <summary>Made by the compiler, as <c>this</c>.</summary>
    public bool IsArtificial => Find(DwAt.Artificial).Value.Value != 0;

    /// <summary>Visible outside of its unit.</summary>
    public bool IsExternal => Find(DwAt.External).Value.Value != 0;

    /// <summary>Its entry does not say where it is: it is defined elsewhere, or optimized out.</summary>
    public bool IsDeclaration => Find(DwAt.Declaration).Value.Value != 0 && !Find(DwAt.Location, DwAt.ConstantValue).Value.IsPresent;

    /// <summary>Another variable of its name is in a block that is further inside: only this list's first one of a name can be named in the source.</summary>
    public bool IsShadowed { get; internal init; }

    /// <summary>How many lexical blocks of the function it is in; 0: it is a parameter, a global or in the function's outermost block.</summary>
    public int BlockDepth { get; internal init; }

    /// <summary>The file that declares it; null if unknown.</summary>
    public string? DeclarationFile => Find(DwAt.DeclarationFile) is ({ IsConstant: true } file, var unit)
        ? unit.Lines?.FilePath((uint)Math.Min(file.Value, uint.MaxValue)) : null;

    /// <summary>The line that declares it; 0 if unknown.</summary>
    public uint DeclarationLine => Find(DwAt.DeclarationLine) is ({ IsConstant: true } line, _) ? (uint)Math.Min(line.Value, uint.MaxValue) : 0;

    /// <summary>The source file that it was compiled from.</summary>
    public string? UnitName => _place.Unit.Name;

    /// <summary>Where it is at which addresses, as the file has them: empty where it is optimized out altogether, or a constant.</summary>
    public IReadOnlyList<VariableLocation> Locations
    {
        get
        {
            (AttributeValue value, DebugUnit unit) = Find(DwAt.Location);
            var locations = new List<VariableLocation>();
            foreach (LocationListEntry entry in LocationListReader.Read(unit, value))
                locations.Add(new VariableLocation(entry.IsDefault ? null : entry.Range, entry.Expression));
            return locations;
        }
    }

    /// <summary>Where it is in the frame.</summary>
    public ValueLocation Locate(ILocationContext context) => Locate(context, 0);

    internal ValueLocation Locate(ILocationContext context, int nesting)
    {
        if (nesting > MaximumNesting) return new ValueLocation([], "The location refers to itself.");
        (AttributeValue value, DebugUnit unit) = Find(DwAt.Location, DwAt.ConstantValue);
        if (!value.IsPresent) return Elsewhere(context, nesting);
        (AttributeValue location, unit) = Find(DwAt.Location);
        if (location.IsPresent)
        {
            return LocationListReader.TryExpression(unit, location, context.Pc, out ReadOnlyMemory<byte> expression)
                ? LocationProgram.Evaluate(expression.Span, context, unit, _function, null, nesting) : ValueLocation.OptimizedOut;
        }
        (AttributeValue constant, unit) = Find(DwAt.ConstantValue);
        return ConstantLocation(constant, unit, context.Bias);
    }

    private (AttributeValue Value, DebugUnit Unit) Find(DwAt name, DwAt otherwise = DwAt.None) => EntryAttributes.Find(_place, name, otherwise);

    private ValueLocation ConstantLocation(in AttributeValue constant, DebugUnit unit, ulong bias)
    {
        byte[] bytes;
        if (constant.IsBlock)
        {
            bytes = unit.BlockOf(constant).ToArray();
        }
        else if (constant.IsConstant || constant.IsAddress)
        {
            bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, constant.IsAddress ? unit.AddressOf(constant) + bias : constant.Value);
        }
        else if (unit.StringOf(constant) is { } text)
        {
            bytes = System.Text.Encoding.UTF8.GetBytes(text + "\0");
        }
        else
        {
            return new ValueLocation([], "The form of the variable's constant is unknown.");
        }
        return new ValueLocation([new LocationPiece(PieceKind.Implicit, 0, bytes, 0, 0)]);
    }

    // extern: where the definition is, or where the linker's symbol says.
    private ValueLocation Elsewhere(ILocationContext context, int nesting)
    {
        if (!IsDeclaration) return ValueLocation.OptimizedOut;
        string? name = EntryNames.Qualified(_place.Unit, _place.Offset);
        if (name is null) return ValueLocation.OptimizedOut;
        foreach (DebugVariable other in _place.Unit.Owner.FindGlobals(name))
            if (other.DieOffset != DieOffset && other.IsExternal && !other.IsDeclaration) return other.Locate(context, nesting + 1);
        foreach (ElfSymbol symbol in _place.Unit.Sections.Image.Symbols.ByName(LinkageName ?? name))
            if (symbol.IsDefined) return ValueLocation.InMemory(symbol.Address + context.Bias);
        return ValueLocation.OptimizedOut;
    }
}
