using System;
using System.Linq;
using Introspection.Layouts;
using Introspection.Locks.History;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>
/// Steps of Linux's <c>rw_semaphore</c> that a recording may not happen to have, as kernel/locking/rwsem.c of 6.1 makes them: a writer is bit 0, waiters are bit 1, readers count from bit 8;
/// the owner's word has bit 0 for readers.
/// </summary>
public sealed class SemaphoreTrackerTests : IDisposable
{
    private const ulong A = 0x10000, B = 0x20000, C = 0x30000, D = 0x40000, E = 0x50000;

    private readonly ConcurrencyRecording _recording = new("rw", seed: 5);
    private readonly LockTracker _tracker;
    private readonly SemaphoreTracker _semaphores;
    private readonly LockWord _count, _owner;
    private ulong _at = 100, _word;

    public SemaphoreTrackerTests()
    {
        LockFunctionTable table = _recording.Locks.Functions;
        _tracker = new LockTracker(table, new LockHistoryOptions(), isFromStart: true);
        _semaphores = new SemaphoreTracker(_tracker, table);
        var type = new LockType { Kind = "rw_semaphore" };
        _count = new LockWord(0, LockWordRole.SemaphoreCount, 0x8000, 0x8000, 8, "semaphore", type) { WriterMask = 1, BlockMask = 1UL << 63 | 7, ReaderShift = 8 };
        _owner = new LockWord(1, LockWordRole.SemaphoreOwner, 0x8000, 0x8008, 8, "semaphore", type);
    }

    [Fact]
    public void Readers_that_are_woken_have_it_in_the_order_in_which_they_came()
    {
        Count(A, 0x1);
        foreach (ulong reader in (ulong[])[B, C, E])
        {
            // In vain, and into the list.
            Count(reader, _word + 0x100);
            Count(reader, 0x3, last: reader);
        }
        Assert.Equal("10000 writes 101-", Text());
        Count(A, 0x2);
        // The one that releases wakes: the first on trial, then all.
        Count(A, 0x102);
        Owner(A, B | 1);
        Count(A, 0x302);
        Assert.Equal("10000 writes 101-108, 20000 reads 110-, 30000 reads 111-, 50000 reads 111-", Text());
        foreach (ulong reader in (ulong[])[C, B, E]) Count(reader, _word - 0x100);
        // A writer that waited clears the bit of those who wait.
        Count(D, 0x1);
        Count(D, 0x0);
        Assert.Equal("10000 writes 101-108, 20000 reads 110-113, 30000 reads 111-112, 50000 reads 111-114, 40000 writes 115-116", Text());
        Assert.Empty(_tracker.Findings);
    }

    [Fact]
    public void A_trial_that_finds_a_writer_is_nobodys()
    {
        Count(A, 0x1);
        Count(B, 0x101);
        Count(B, 0x3, last: B);
        Count(A, 0x2);
        // Another writer is faster.
        Count(C, 0x3);
        Count(A, 0x103);
        Count(A, 0x3, last: B);
        Assert.Equal("10000 writes 101-104, 30000 writes 105-", Text());
        Assert.Empty(_tracker.Findings);
    }

    [Fact]
    public void A_reader_that_comes_first_wakes_the_others()
    {
        Count(A, 0x1);
        Count(B, 0x101);
        Count(B, 0x3, last: B);
        Count(A, 0x2);
        // It finds waiters and no writer, and takes it all the same.
        Count(C, 0x102);
        Owner(C, C | 1);
        Count(C, 0x200);
        Count(B, 0x100);
        Count(C, 0x0);
        Assert.Equal("10000 writes 101-104, 30000 reads 106-109, 20000 reads 107-108", Text());
        Assert.Empty(_tracker.Findings);
    }

    [Fact]
    public void A_reader_without_anybody_else_has_it_at_once_and_says_so_afterwards()
    {
        Count(A, 0x100);
        Owner(A, A | 1);
        Count(B, 0x200);
        Owner(B, B | 1);
        Count(A, 0x100);
        Count(B, 0x0);
        // A writer that becomes a reader.
        Count(C, 0x1);
        Count(C, 0x100);
        Owner(C, C | 1);
        Count(C, 0x0);
        Assert.Equal("10000 reads 101-105, 20000 reads 103-106, 30000 writes 107-108, 30000 reads 108-110", Text());
        Assert.Empty(_tracker.Findings);
    }

    [Fact]
    public void Who_was_killed_in_the_list_does_not_get_it()
    {
        Count(A, 0x1);
        Count(B, 0x101);
        Count(B, 0x3, last: B);
        // It leaves, and nobody is in the list any more.
        Count(B, 0x1);
        Count(C, 0x101);
        Count(C, 0x3, last: C);
        Count(A, 0x2);
        Count(A, 0x102);
        Owner(A, C | 1);
        Count(A, 0x100);
        Count(C, 0x0);
        Assert.Equal("10000 writes 101-107, 30000 reads 109-111", Text());
        Assert.Empty(_tracker.Findings);
    }

    public void Dispose() => _recording.Dispose();

    // The instruction at _at changes the count; its moment is one behind.
    private void Count(ulong task, ulong value, ulong last = 0)
    {
        _semaphores.AddCount(new LockEvent(_at++, 0, LockStep.Swap, (byte)(task >> 16), 0, true, value, _word, task, 0x99) { Other = last }, _count);
        _word = value;
    }

    private void Owner(ulong task, ulong value) =>
        _semaphores.AddOwner(new LockEvent(_at++, 0, LockStep.Store, (byte)(task >> 16), 1, true, value, 0, task, 0x99), _owner);

    private string Text() => string.Join(", ", _tracker.Locks[0x8000].Uses.Where(static use => use.Taken is not null).OrderBy(static use => use.Taken)
        .ThenBy(static use => use.User.Task).Select(static use => $"{use.User.Task:x} {(use.IsShared ? "reads" : "writes")} {use.Taken}-{use.Released}"));
}
