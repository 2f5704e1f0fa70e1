using System;
using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>What names mean and what memory holds, for one frame of the stopped program.</summary>
public interface IExpressionEnvironment
{
    /// <summary>Types and constants by name; null: none are known.</summary>
    ITypeCatalog? Types { get; }

    /// <summary>Size of a pointer of the program: 4 or 8.</summary>
    int AddressSizeBytes { get; }

    /// <summary>
    /// A variable or function that has a type: the innermost local one of the frame, else a global one. Names may be qualified with <c>::</c>. Null: there is none.
    /// One that the compiler did not keep is there, with <see cref="TypedValue.Unavailable"/>.
    /// </summary>
    TypedValue? Variable(string name);

    /// <summary>A static variable of a file or a function: <c>'file.c'::name</c>, <c>function::name</c>. Null: there is none.</summary>
    TypedValue? Variable(string scope, string name);

    /// <summary>A register by its name in lower case; null: there is none.</summary>
    RegisterValue? Register(string name);

    /// <summary>A register that is wider than 8 bytes, or no whole number, by its name in lower case; null: there is none of that name.</summary>
    TypedValue? WideRegister(string name) => null;

    /// <summary>The address of a symbol without a type; null: there is none.</summary>
    ulong? AddressOf(string symbol);

    /// <summary>What the name of a type may mean there, the innermost first: in C++ and Rust, one of a namespace that the code is in.</summary>
    IEnumerable<string> Meanings(string name) => [name];

    /// <summary>A macro of C's preprocessor; null: the name is none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isAnywhere">Also one that does not hold where the expression stands.</param>
    MacroDefinition? Macro(string name, bool isAnywhere) => isAnywhere ? Types?.FindMacro(name) : null;

    /// <summary>Reads memory without any effect. Returns how many bytes there are up to the first that is not memory.</summary>
    int Read(ulong address, bool isPhysical, Span<byte> destination);

    /// <summary>Assignments are carried out; else they are refused.</summary>
    bool CanWrite => false;

    /// <summary>Writes memory. Returns what went wrong, in a sentence; null: nothing.</summary>
    string? Write(ulong address, bool isPhysical, ReadOnlySpan<byte> source) => "memory cannot be changed here";

    /// <summary>Changes a register. Returns what went wrong, in a sentence; null: nothing.</summary>
    string? WriteRegister(string name, ulong value) => $"'{name}' cannot be changed here";

    /// <summary>Functions can be called; else calls are refused before their arguments are looked at.</summary>
    bool CanCall => false;

    /// <summary>Why they cannot, and what would help, behind "f(...) would run the guest: ".</summary>
    string WhyNoCalls => "nothing is called here";

    /// <summary>Runs a function of the program.</summary>
    /// <param name="function">Of a <see cref="FunctionType"/> or a pointer to one, or an untyped address.</param>
    /// <param name="arguments">As they are written, not converted.</param>
    /// <exception cref="ExpressionException">It cannot be run, or did not come back.</exception>
    TypedValue Call(TypedValue function, IReadOnlyList<TypedValue> arguments) => throw new ExpressionException("functions cannot be called here", -1, ExpressionProblem.Refused);
}

/// <summary>A register's contents.</summary>
/// <param name="Value">Its bits.</param>
/// <param name="SizeBytes">1, 2, 4 or 8.</param>
public readonly record struct RegisterValue(ulong Value, int SizeBytes);
