using System;

namespace Vmm.Devices;

/// <summary>Where a chip's random bytes come from: the machine's input source, so that they are logged and replayed.</summary>
internal interface IEntropySource
{
    /// <summary>Fills all of <paramref name="destination"/>.</summary>
    void Fill(Span<byte> destination);
}
