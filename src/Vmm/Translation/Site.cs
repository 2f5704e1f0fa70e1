using System.Collections.Generic;
using System.Runtime.InteropServices;
using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>What an access does to memory.</summary>
internal enum Access : byte
{
    Read,
    Write,
    /// <summary>Reads, and then writes what cannot fault any more.</summary>
    Update,
}

/// <summary>A place in generated code that can leave it: which instruction it belongs to.</summary>
/// <param name="Block">The block that the code was made from.</param>
/// <param name="Mode">What the code was made for.</param>
/// <param name="Index">The instruction in the block.</param>
/// <param name="Access">Of an access: what it does.</param>
/// <param name="SizeBytes">Of an access.</param>
/// <param name="Target">Of an edge: RIP that it leads to.</param>
/// <param name="PatchAddress">Of an edge: the displacement of the jump that can lead to the target's code directly; 0: none. Of an inline cache: where it is.</param>
internal readonly record struct Site(Block Block, TranslationMode Mode, int Index, Access Access, int SizeBytes, ulong Target, nint PatchAddress);

/// <summary>All sites of a machine's generated code, by number.</summary>
internal sealed class SiteTable
{
    private readonly List<Site> _sites = [];

    /// <summary>It stays as it is, but where it is may be left behind when sites are added.</summary>
    public ref readonly Site this[int number] => ref CollectionsMarshal.AsSpan(_sites)[number];

    public int Add(in Site site)
    {
        _sites.Add(site);
        return _sites.Count - 1;
    }

    public void SetPatchAddress(int number, nint address) => _sites[number] = _sites[number] with { PatchAddress = address };

    public void Clear() => _sites.Clear();
}
