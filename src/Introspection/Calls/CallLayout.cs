using System.Collections.Generic;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>What holds a part of a value.</summary>
public enum PartKind
{
    /// <summary>A general register.</summary>
    General,
    /// <summary>A half of an XMM register.</summary>
    Xmm,
    /// <summary>The top of the x87 stack, 10 bytes.</summary>
    X87,
    /// <summary>Memory at an offset from the return address's slot.</summary>
    Stack,
}

/// <summary>A part of a value.</summary>
/// <param name="Kind">What holds it.</param>
/// <param name="Number">Of the register; twice it, and the half, of an XMM register; offset in bytes on the stack.</param>
/// <param name="SizeBytes">Of the part.</param>
public readonly record struct ValuePart(PartKind Kind, int Number, int SizeBytes);

/// <summary>Where a value is when a function is entered or has returned.</summary>
/// <param name="Parts">In the order of its bytes.</param>
/// <param name="IsIndirect">The parts are the value's address.</param>
public sealed record ValuePlace(IReadOnlyList<ValuePart> Parts, bool IsIndirect = false);

/// <summary>Where a function's parameters and result are.</summary>
/// <param name="Parameters">One for each parameter of the prototype.</param>
/// <param name="Result">Null: it has none, or what is passed otherwise.</param>
public sealed record CallLayout(IReadOnlyList<ValuePlace> Parameters, ValuePlace? Result)
{
    /// <summary>By a convention that is not <see cref="CallingConvention.Automatic"/>.</summary>
    public static CallLayout Of(FunctionType prototype, CallingConvention convention) => convention switch
    {
        CallingConvention.SystemV64 => new SystemVLayout().Of(prototype),
        CallingConvention.Regparm32 when !prototype.IsVariadic => new I386Layout(registerCount: 3).Of(prototype),
        // Functions with an ellipsis take all on the stack whatever regparm says.
        _ => new I386Layout(registerCount: 0).Of(prototype),
    };
}
