using System;

namespace Vmm.Memory;

/// <summary>Why a page of guest memory cannot be accessed on the fast path.</summary>
[Flags]
public enum PageTraits : byte
{
    None = 0,
    /// <summary>The content is not in memory yet: the first access fetches it from the page source.</summary>
    Absent = 1,
    /// <summary>Written since the current epoch began. A page without it takes the slow path at its first store.</summary>
    Dirty = 2,
    /// <summary>Decoded blocks were made from it: a store must discard them.</summary>
    Code = 4,
    /// <summary>It serves as a guest page table for a shadow page table: a store must invalidate what it maps.</summary>
    PageTable = 8,
    /// <summary>A debugger watches reads of it.</summary>
    WatchRead = 16,
    /// <summary>A debugger watches writes to it.</summary>
    WatchWrite = 32,
    /// <summary>Stores are ignored (ROM).</summary>
    ReadOnly = 64,
}
