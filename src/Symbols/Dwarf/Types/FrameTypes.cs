using System;
using Symbols.Dwarf.Entries;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Dwarf.Types;

/// <summary>Types whose sizes are known in a frame only: variable-length arrays, pointers to them, and arrays of them.</summary>
internal static class FrameTypes
{
    private const int MaximumDepth = 16;

    /// <summary>The type with the sizes that it has in the frame; the very same one where it has none of them.</summary>
    internal static DebugType Of(DebugType type, ILocationContext context, DieReference? function) => Of(type, context, function, 0);

    private static DebugType Of(DebugType type, ILocationContext context, DieReference? function, int depth)
    {
        if (depth > MaximumDepth) return type;
        switch (type)
        {
            case ArrayType array:
                DebugType element = Of(array.Element, context, function, depth + 1);
                ulong? count = array.CountInFrame?.Invoke(context, function) ?? array.Count;
                return count == array.Count && ReferenceEquals(element, array.Element) ? array : new ArrayType(() => element, array.LowerBound, count, array.IsVector);
            case QualifiedType qualified:
                return Wrapped(qualified, qualified.Target, target => new QualifiedType(qualified.Qualifier, () => target));
            case AliasType alias:
                return Wrapped(alias, alias.Target, target => new AliasType(alias.Name!, () => target));
            case PointerType { Target.Stripped: ArrayType } pointer:
                return Wrapped(pointer, pointer.Target, target => new PointerType(pointer.Kind, pointer.SizeBytes ?? 8, () => target, pointer.Name));
            default:
                return type;
        }

        DebugType Wrapped(DebugType outer, DebugType target, Func<DebugType, DebugType> make)
        {
            DebugType made = Of(target, context, function, depth + 1);
            return ReferenceEquals(made, target) ? outer : make(made);
        }
    }
}
