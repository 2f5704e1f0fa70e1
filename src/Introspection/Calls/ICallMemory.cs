using System;
using Introspection.State;

namespace Introspection.Calls;

/// <summary>Guest memory at the moment of a call or of a return.</summary>
public interface ICallMemory
{
    /// <summary>Returns how many bytes could be read.</summary>
    int Read(ulong linear, Span<byte> destination);
}

/// <summary>What a vCPU sees now.</summary>
internal sealed class ViewMemory(GuestView view) : ICallMemory
{
    public int Read(ulong linear, Span<byte> destination) => view.Read(linear, destination);
}

/// <summary>The moment is gone: nothing can be read, but that somebody wanted to is known.</summary>
internal sealed class GoneMemory : ICallMemory
{
    public bool WasWanted { get; private set; }

    public int Read(ulong linear, Span<byte> destination)
    {
        WasWanted = true;
        return 0;
    }
}
