namespace Symbols.Types;

/// <summary>
/// A type of the program's source, whoever described it: DWARF or BTF. Types refer to each other and to themselves, so that what a type is made of is read when it is asked for.
/// </summary>
public abstract class DebugType
{
    private protected DebugType(string? name, ulong? sizeBytes)
    {
        Name = name;
        SizeBytes = sizeBytes;
    }

    /// <summary>The tag or name that the source gives it; null: it has none, as pointers and anonymous structures. <see cref="TypeText"/> writes any type.</summary>
    public string? Name { get; }

    /// <summary>Size of an object; null: it has none or it is not known, as of functions, void, declarations and arrays without an end.</summary>
    public virtual ulong? SizeBytes { get; }

    /// <summary>The type behind all typedefs and qualifiers: what says how its bytes are read. Bounded, as damaged files have typedefs of themselves.</summary>
    public DebugType Stripped
    {
        get
        {
            DebugType type = this;
            for (int i = 0; i < 64; i++)
            {
                DebugType next = type switch { AliasType alias => alias.Target, QualifiedType qualified => qualified.Target, _ => type };
                if (ReferenceEquals(next, type)) return type;
                type = next;
            }
            return VoidType.Instance;
        }
    }

    public override string ToString() => TypeText.Of(this);
}
