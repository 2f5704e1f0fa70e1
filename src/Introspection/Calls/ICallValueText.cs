using System;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Writes values of known types. Used by one thread at a time.</summary>
public interface ICallValueText
{
    /// <summary>A value as text.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="bytes">What could be read of it, at most <see cref="CallValueReader.MaximumBytes"/>.</param>
    /// <param name="memory">Where its pointers lead to.</param>
    string TextOf(DebugType type, ReadOnlySpan<byte> bytes, ICallMemory memory);

    /// <summary>A word that is an address, or not: the name of what is there, if anything is.</summary>
    string TextOfWord(ulong word);
}
