using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Symbols.Dwarf;
using Symbols.Dwarf.Indexing;

namespace Introspection.Programs;

/// <summary>
/// The index of one large symbol file in the making, or one that was kept, and then a rehearsal of look-ups in it. One thread of each, and the builder's, read the file; the
/// thread of the symbols begins it, may wait for it, and ends it before the file is closed.
/// </summary>
public sealed class IndexingJob : IDisposable
{
    private readonly DwarfInfo _dwarf;
    private readonly DebugIndexCache? _cache;
    private readonly CancellationTokenSource _stop = new();
    private Task? _task, _rehearsal;
    private int _thousandths;

    internal IndexingJob(DwarfInfo dwarf, DebugIndexCache? cache, string name)
    {
        _dwarf = dwarf;
        _cache = cache;
        Name = name;
    }

    /// <summary>The file's name, for people.</summary>
    public string Name { get; }

    /// <summary>How much is done, from 0 to 1.</summary>
    public double Fraction => Volatile.Read(ref _thousandths) / 1000.0;

    /// <summary>Begins to make the index, unless it has begun or is there.</summary>
    public void Begin()
    {
        if (_task is not null || _dwarf.IsIndexed) return;
        // What is made of the file for the other threads is made on this one.
        DebugIndexBuilder builder = _dwarf.PrepareIndex(_cache);
        _task = Task.Factory.StartNew(() => Run(builder), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Has the code of look-ups compiled, once the index is there: for who will ask often. <see cref="LookupRehearsal"/>.</summary>
    public void Rehearse()
    {
        if (_rehearsal is not null) return;
        LookupRehearsal rehearsal = _dwarf.PrepareRehearsal();
        _rehearsal = Task.Factory.StartNew(() => Run(rehearsal), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Waits until <see cref="Rehearse"/> has ended.</summary>
    public void WaitForRehearsal()
    {
        if (_rehearsal is not null) Task.WaitAny([_rehearsal], CancellationToken.None);
    }

    /// <summary>True: it has ended, with an index as a rule. False: it needs longer than that.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; the job goes on.</exception>
    public bool Wait(TimeSpan time, CancellationToken cancellation) => _task is null || Task.WaitAny([_task], (int)time.TotalMilliseconds, cancellation) >= 0;

    /// <summary>Ends it soon, and waits for that.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        if (_task is not null) Task.WaitAny([_task], CancellationToken.None);
        WaitForRehearsal();
        _stop.Dispose();
    }

    private void Run(DebugIndexBuilder builder)
    {
        // Who asks for an address meanwhile is not to notice.
        Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        try
        {
            builder.Run(done => Volatile.Write(ref _thousandths, done), _stop.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next question that needs the index tries again, and fails where it is told to the user.
        }
    }

    private void Run(LookupRehearsal rehearsal)
    {
        Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        try
        {
            if (_task is not null) Task.WaitAny([_task], CancellationToken.None);
            rehearsal.Run(_stop.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was for nothing but its speed.
        }
    }
}
