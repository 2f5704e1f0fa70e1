using System;

namespace Symbols;

/// <summary>
/// The file is not one that symbols can be read from at all. The message is one sentence for the user. Whatever else is wrong inside
/// a file is a <see cref="SymbolDiagnostic"/>, and what can be read is read.
/// </summary>
public sealed class SymbolFormatException : Exception
{
    public SymbolFormatException() { }

    public SymbolFormatException(string message) : base(message) { }

    public SymbolFormatException(string message, Exception innerException) : base(message, innerException) { }
}
