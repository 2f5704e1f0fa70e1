using System;

namespace Symbols.Images;

/// <summary>Memory by address, with holes: a guest's, or a file laid out as it is loaded.</summary>
public interface IMemoryReader
{
    /// <summary>Returns how many bytes could be read up to the first that is not there.</summary>
    int Read(ulong address, Span<byte> destination);
}
