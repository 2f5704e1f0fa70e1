using System.Collections.Generic;

namespace Vmm.Translation;

/// <summary>A guest instruction of a <see cref="BlockListing"/>.</summary>
/// <param name="Rip">Its address.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="HostOffset">Where its code starts in the block's.</param>
/// <param name="IsByHandler">It is not translated: its code calls its handler.</param>
public readonly record struct ListedInstruction(ulong Rip, byte[] Bytes, int HostOffset, bool IsByHandler);

/// <summary>A block of guest code beside the host code that it is translated to.</summary>
/// <param name="CodeSize">16, 32 or 64: how the guest's bytes are decoded.</param>
/// <param name="Instructions">The guest's, in order.</param>
/// <param name="HostAddress">Where the code is.</param>
/// <param name="HostCode">Its bytes.</param>
/// <param name="BehindOffset">Where in it the part begins that hardly ever runs: slow paths and ways out.</param>
/// <param name="Routines">What it calls or jumps to that has a name: shared routines, and its own code that fills inline caches; by address.</param>
/// <param name="Fields">What it reaches off RSP, the vCPU's frame: names by offset.</param>
public sealed record BlockListing(int CodeSize, IReadOnlyList<ListedInstruction> Instructions, ulong HostAddress, byte[] HostCode, int BehindOffset,
    IReadOnlyDictionary<ulong, string> Routines, IReadOnlyDictionary<int, string> Fields);
