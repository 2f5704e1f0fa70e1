using System;
using System.IO;
using Symbols.Dwarf;
using Symbols.Dwarf.Indexing;

namespace Introspection.Programs;

/// <summary>Lets a question wait for an index: returns when <see cref="IndexingJob.Wait"/> says that it has ended, and shows how far it is.</summary>
/// <exception cref="OperationCanceledException">The user does not want to wait any more. The job goes on.</exception>
public delegate void IndexWait(IndexingJob job);

/// <summary>
/// When the index of a symbol file's names is made, and by whom. A small file's is made in memory at the first question that needs it. A large one's is taken out of the
/// cache when the file is first used; where it is not there, threads in the background make it from <see cref="SymbolFile.BeginIndexing"/> or the first question that needs
/// it on, which waits. What does not need it is answered meanwhile: addresses by the units that they are in, and symbols.
/// </summary>
/// <param name="cache">Where indices of large files are kept; null: nowhere.</param>
/// <param name="wait">Waits; null: until it is done.</param>
public sealed class SymbolIndexing(DebugIndexCache? cache, IndexWait? wait)
{
    /// <summary>Instead of what debug information counts as small for itself: for tests, as no small file is large.</summary>
    internal ulong? SmallSizeBytes { get; init; }

    /// <summary>Sees to a file's index from its first use on. Null: there is nothing to do in the background.</summary>
    internal IndexingJob? Attach(DwarfInfo dwarf, string name)
    {
        if (SmallSizeBytes is { } size) dwarf.SmallSizeBytes = size;
        if (!(dwarf.HasUnits || dwarf.HasLines) || dwarf.IsSmall) return null;
        var job = new IndexingJob(dwarf, cache, Path.GetFileName(name));
        if (cache is not null && dwarf.LoadIndex(cache)) return job;
        dwarf.IndexNeeded = () =>
        {
            job.Begin();
            if (wait is null) job.Wait(TimeSpan.FromMilliseconds(-1), default);
            else wait(job);
        };
        return job;
    }
}
