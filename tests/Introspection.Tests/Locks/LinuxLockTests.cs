using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Introspection.Layouts;
using Introspection.Linux;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.Programs;
using Introspection.State;
using Introspection.Tests.Linux;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>Debian's kernel with four vCPUs that get into each other's way.</summary>
public sealed class ContendedLinux() : LinuxRecording("quiet", """
    #!/bin/sh
    export PATH=/bin HOME=/
    mount -t proc proc /proc
    mount -t devtmpfs devtmpfs /dev 2>/dev/null
    mkdir -p /tmp/d
    worker() { i=0; while [ $i -lt 40 ]; do echo x >/tmp/d/$1.$i; busybox mv /tmp/d/$1.$i /tmp/d/$1.y; rm /tmp/d/$1.y; i=$((i+1)); done; }
    feeder() { i=0; while [ $i -lt 200 ]; do echo line $1 $i; i=$((i+1)); done; }
    (feeder a & feeder b & feeder c & wait) | (cat >/dev/null & cat >/dev/null & cat >/dev/null; wait) &
    worker 1 & worker 2 & worker 3 & worker 4 &
    wait
    poweroff -f

    """, cpuCount: 4, chaos: 7)
{
    private (GuestLocks Locks, LockHistory History)? _functions;

    /// <summary>The history of all locks by the kernel's functions, made once.</summary>
    internal (GuestLocks Locks, LockHistory History) Functions(GuestPrograms programs)
    {
        Timeline.Seek(Timeline.End);
        if (_functions is { } known) return known;
        GuestLocks locks = GuestLocks.Find([], programs.At(View), View);
        _functions = (locks, locks.History(Timeline, Timeline.Start, Timeline.End, new LockHistoryOptions { MaximumUses = int.MaxValue }));
        return _functions.Value;
    }

    /// <summary>The first use of a lock in allocated memory that is surely it: before that of which the memory was something else.</summary>
    internal Position BirthOf(LockRecord record) => record.Uses[0].Wanted;

    /// <summary>Behind its last use.</summary>
    internal Position DeathOf(LockRecord record)
    {
        LockUse last = record.Uses[^1];
        return new Position((last.Released ?? last.Taken ?? last.Wanted).InstructionCount + 1000);
    }
}

/// <summary>Queues of an unmodified kernel's locks, compared with a decoding of their bytes that knows nothing of types, and with who is where in the code.</summary>
[Trait("Category", "Slow")]
public sealed class LinuxLockTests(ContendedLinux linux) : IClassFixture<ContendedLinux>, IDisposable
{
    private readonly GuestPrograms _programs = SymbolLoader.Load(linux.File, null, null, Assert.Fail);

    [Fact]
    public void Queues_are_what_their_bytes_say()
    {
        linux.Timeline.Seek(linux.Timeline.End);
        GuestLocks locks = GuestLocks.Find([], _programs.At(linux.View), linux.View);
        Assert.Empty(locks.Problems);
        LockHistory history = locks.History(linux.Timeline, linux.Timeline.Start, linux.Timeline.End);
        // An unmodified kernel that ran well has nothing wrong.
        Assert.Empty(history.Findings.Select(one => $"{one.At} {one.Kind}"));
        Assert.True(history.LockCount > 10_000, $"{history.LockCount} locks");

        int spinQueues = 0, sleepQueues = 0;
        LockRecord[] contended = [.. history.Locks.Where(one => one.MaximumWaiters >= 2).OrderByDescending(one => one.Type.IsHeldByTask).ThenByDescending(one => one.ContendedCount)];
        foreach (LockRecord record in contended.Take(30))
        {
            foreach (Position at in Moments(history, record).Take(6))
            {
                linux.Timeline.Seek(at);
                SymbolSet symbols = _programs.At(linux.View);
                LockView one = locks.Read(linux.View, symbols, at, history).Single(each => each.Address == record.Address);
                Assert.NotEqual(LockState.Corrupt, one.State);
                LockView alone = locks.Read(linux.View, symbols, at, null).FirstOrDefault(each => each.Address == record.Address) ?? one;
                if (record.Type.Kind == "qspinlock") spinQueues += CheckSpinLock(alone, record.Address) ? 1 : 0;
                else if (record.Type.Kind == "mutex") sleepQueues += CheckSleepers(alone, record.Address + 16, taskOffset: 16) ? 1 : 0;
                else if (record.Type.Kind == "rw_semaphore") sleepQueues += CheckSleepers(alone, record.Address + 24, taskOffset: 16) ? 1 : 0;
                // Whoever waits by the history is in the view.
                IReadOnlyList<LockUse> uses = [.. history.UsesAt(at).Where(use => use.Lock == record)];
                int shown = one.Queue.Count(each => each.IsOwner && each.Since <= at && IsHolder(uses, each, at));
                Assert.Equal(uses.Count(use => use.IsHeldAt(at)), shown);
            }
        }
        Assert.True(spinQueues >= 3, $"{spinQueues} spin locks with two waiters or more");
        Assert.True(sleepQueues >= 1, $"{sleepQueues} sleeping locks with two waiters or more");
    }

    /// <summary>Spin locks of the kernel's that are declared without functions, as if these were inlined: their words tell what the functions tell.</summary>
    [Fact]
    public void Words_alone_tell_what_functions_tell()
    {
        linux.Timeline.Seek(linux.Timeline.End);
        SymbolSet symbols = _programs.At(linux.View);
        GuestLocks byFunctions = GuestLocks.Find([], symbols, linux.View);
        string[] names = ["css_set_lock", "pin_fs_lock", "pgd_lock", "pidmap_lock", "kernfs_idr_lock", "cpa_lock", "purge_vmap_area_lock", "base_crng+0x30"];
        HashSet<ulong> addresses = [.. names.Select(name => byFunctions.AddressOf(name, symbols)!.Value)];
        var options = new LockHistoryOptions { Locks = addresses, MaximumUses = int.MaxValue };
        LockHistory expected = byFunctions.History(linux.Timeline, linux.Timeline.Start, linux.Timeline.End, options);
        LockRecord[] records = [.. addresses.Select(one => expected.Find(one)).OfType<LockRecord>()];
        Assert.True(records.Length >= 5, $"{records.Length} of the locks were used");
        string declared = string.Join(", ", records.Select(one => $$"""{ "name": "{{byFunctions.NameOf(one.Address, symbols)}}", "type": "word", "at": "0x{{one.Address:x}}" }"""));
        GuestLayout layout = LayoutFile.Parse(Encoding.UTF8.GetBytes($$"""{ "types": { "word": { "kind": "qspinlock" } }, "locks": [ {{declared}} ] }"""), "words.layout.json");
        GuestLocks byWords = GuestLocks.Find([layout], symbols, linux.View);
        Assert.Empty(byWords.Problems);
        LockHistory history = byWords.History(linux.Timeline, linux.Timeline.Start, linux.Timeline.End, options);
        Assert.Empty(history.Findings.Select(one => $"{one.At} {one.Kind}"));
        int taken = 0, contended = 0;
        foreach (LockRecord record in records)
        {
            string name = byFunctions.NameOf(record.Address, symbols);
            LockUse[] uses = Taken(record), words = Taken(history.Find(record.Address)!);
            Assert.True(uses.Length == words.Length, $"{name}: {uses.Length} by functions, {words.Length} by its word");
            for (int i = 0; i < uses.Length; i++)
            {
                (LockUse one, LockUse word) = (uses[i], words[i]);
                Assert.True(one.User == word.User, $"{name}: {one.User} by functions, {word.User} by its word, at {one.Wanted}");
                // The instruction that takes it is in the function that does, and so is the one that gives it back.
                Assert.True(one.Wanted < word.Taken && word.Taken <= one.Taken && one.Wanted <= word.Wanted, $"{name}: {one.Wanted} {word.Wanted} {word.Taken} {one.Taken}");
                Assert.True(one.Released is null == word.Released is null && !(word.Released <= one.Released), $"{name}: {one.Released} {word.Released}");
                taken++;
                if (word.IsContended) contended++;
            }
        }
        Assert.True(taken > 1000, $"{taken} uses");
        TestContext.Current.TestOutputHelper?.WriteLine($"{taken} uses, {contended} contended");

        static LockUse[] Taken(LockRecord record) => [.. record.Uses.Where(static use => use.Taken is not null).OrderBy(static use => use.Taken)];
    }

    /// <summary>
    /// Sleeping locks and reader-writer locks by their words alone, as if every call of them were inlined: static ones, and the most contended ones of those in allocated memory, while they
    /// live. Every acquisition and release is the one that the functions tell, and the one that a watch in this test decodes.
    /// </summary>
    [Theory]
    [InlineData("mutex", false)]
    [InlineData("mutex", true)]
    [InlineData("rw_semaphore", false)]
    [InlineData("rw_semaphore", true)]
    [InlineData("qrwlock", false)]
    public void Words_of_sleeping_and_reader_writer_locks_tell_what_functions_tell(string kind, bool isAllocated)
    {
        (GuestLocks byFunctions, LockHistory all) = linux.Functions(_programs);
        SymbolSet symbols = _programs.At(linux.View);
        bool IsNamed(LockRecord one) => !byFunctions.NameOf(one.Address, symbols).StartsWith("0x", StringComparison.Ordinal);
        LockRecord[] candidates = [.. all.Locks.Where(one => one.Type.Kind == kind && one.TakenCount > 1 && IsNamed(one) != isAllocated)];
        candidates = [.. candidates.OrderByDescending(static one => one.ContendedCount).ThenByDescending(static one => one.TakenCount).Take(isAllocated ? 2 : 12)];
        Assert.NotEmpty(candidates);
        int taken = 0, contended = 0, shared = 0;
        foreach (LockRecord[] records in isAllocated ? candidates.Select(static one => new[] { one }) : [candidates])
        {
            HashSet<ulong> addresses = [.. records.Select(static one => one.Address)];
            // Memory that is allocated is something else before.
            Position from = isAllocated ? linux.BirthOf(records[0]) : linux.Timeline.Start, before = isAllocated ? linux.DeathOf(records[0]) : linux.Timeline.End;
            var options = new LockHistoryOptions { Locks = addresses, MaximumUses = int.MaxValue };
            string declared = string.Join(", ", records.Select(one => $$"""{ "name": "{{byFunctions.NameOf(one.Address, symbols)}}", "type": "word", "at": "0x{{one.Address:x}}" }"""));
            GuestLayout layout = LayoutFile.Parse(Encoding.UTF8.GetBytes($$"""{ "types": { "word": { "kind": "{{kind}}" } }, "locks": [ {{declared}} ] }"""), "words.layout.json");
            GuestLocks byWords = GuestLocks.Find([layout], symbols, linux.View);
            Assert.Empty(byWords.Problems);
            LockHistory history = byWords.History(linux.Timeline, from, before, options);
            // Of a stretch, what began before is not known of other locks.
            LockFinding[] own = [.. history.Findings.Where(one => one.Uses.Any(use => addresses.Contains(use.Lock.Address)) && one.Kind != LockFindingKind.OrderInversion)];
            Assert.Empty(own.Select(one => $"{one.At} {one.Kind}"));
            Dictionary<ulong, List<WordChange>> changes = WordDecoder.Changes(linux.Timeline, addresses, kind == "qrwlock" ? 4 : 8, from, before);
            foreach (LockRecord record in records)
            {
                string name = byFunctions.NameOf(record.Address, symbols);
                LockUse[] uses = Uses(all.Find(record.Address)!), words = Uses(history.Find(record.Address)!);
                string firstDifference = string.Join('\n', uses.Zip(words).Where(static pair => pair.First.User.Task != pair.Second.User.Task).Take(3)
                    .Select(static pair => $"{Text(pair.First)} | {Text(pair.Second)}"));
                Assert.True(uses.Length == words.Length, $"{name}: {uses.Length} by functions, {words.Length} by its word\n{firstDifference}");
                foreach (ulong task in uses.Select(static use => use.User.Task).Distinct())
                {
                    LockUse[] ownUses = [.. uses.Where(use => use.User.Task == task)], ownWords = [.. words.Where(use => use.User.Task == task)];
                    Assert.True(ownUses.Length == ownWords.Length, $"{name}: task {task:x}: {ownUses.Length} by functions, {ownWords.Length} by its word\n{firstDifference}");
                    for (int i = 0; i < ownUses.Length; i++)
                    {
                        (LockUse one, LockUse word) = (ownUses[i], ownWords[i]);
                        // The instruction that takes it is in the function that does, and so is the one that gives it back.
                        Assert.True(one.IsShared == word.IsShared && one.Wanted < word.Taken && word.Taken <= one.Taken && one.Wanted <= word.Wanted, $"{name}: {Text(one)} | {Text(word)}");
                        Assert.True(one.Released is null == word.Released is null && !(word.Released <= one.Released), $"{name}: {Text(one)} | {Text(word)}");
                        if (one.IsShared) shared++;
                    }
                }
                CheckWord(kind, changes[record.Address], words, before, name);
                taken += uses.Length;
                contended += words.Count(static use => use.IsContended);
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: {taken} uses, {shared} of readers, {contended} contended, of {candidates.Length} locks");
        Assert.True(taken > 100, $"{taken} uses");
        Assert.True(!isAllocated || contended > 0, $"{contended} contended");

        static LockUse[] Uses(LockRecord record) => [.. record.Uses.Where(static use => use.Taken is not null).OrderBy(static use => use.Taken)];

        static string Text(LockUse use) => $"{use.User} {(use.IsShared ? "reads " : "")}wanted {use.Wanted} taken {use.Taken} released {use.Released}";
    }

    // Exclusive acquisitions and releases are changes of one bit, or of the owner; and the number of readers is what the word says.
    private static void CheckWord(string kind, List<WordChange> changes, LockUse[] uses, Position before, string name)
    {
        Func<ulong, bool> isHeld = kind switch
        {
            "mutex" => static word => word >> 3 != 0 && (word & 4) == 0,
            "rw_semaphore" => static word => (word & 1) != 0,
            _ => static word => (word & 0xFF) == 0xFF,
        };
        Position[] acquired = [.. changes.Where(one => isHeld(one.New) && !isHeld(one.Old)).Select(static one => one.At)];
        Position[] released = [.. changes.Where(one => !isHeld(one.New) && isHeld(one.Old)).Select(static one => one.At)];
        Assert.Equal(acquired, uses.Where(static use => !use.IsShared).Select(static use => use.Taken!.Value));
        Assert.Equal(released, uses.Where(static use => use is { IsShared: false, Released: not null }).Select(static use => use.Released!.Value).Order());
        if (kind == "mutex") return;
        // Who is counted reads, or does not know yet whether it does.
        int shift = kind == "qrwlock" ? 9 : 8;
        for (int i = 0; i < changes.Count; i++)
        {
            Position next = i + 1 < changes.Count ? changes[i + 1].At : before;
            if (isHeld(changes[i].New)) continue;
            var at = new Position(next.InstructionCount - 1);
            int counted = (int)(changes[i].New >> shift), reading = uses.Count(use => use.IsShared && use.IsHeldAt(at)), under = uses.Count(use => use.IsShared && use.IsWaitingAt(at));
            Assert.True(counted >= reading && counted <= reading + under, $"{name} at {at}: {counted} counted, {reading} read, {under} wait to read");
        }
    }

    public void Dispose()
    {
        _programs.Dispose();
        GC.SuppressFinalize(this);
    }

    private static bool IsHolder(IReadOnlyList<LockUse> uses, LockWaiter waiter, Position at) => uses.Any(use => use.IsHeldAt(at) && use.Caller == waiter.Caller);

    // When two wait, a while after the second one came: it has joined the queue by then.
    private static IEnumerable<Position> Moments(LockHistory history, LockRecord record)
    {
        foreach (LockUse use in record.Uses)
        {
            if (!use.IsContended || use.Taken is not { } taken) continue;
            ulong middle = (use.Wanted.InstructionCount + taken.InstructionCount) / 2;
            var at = new Position(middle);
            if (history.UsesAt(at).Count(other => other.Lock == record && other.IsWaitingAt(at)) >= 2) yield return at;
        }
    }

    // The bits of include/asm-generic/qspinlock_types.h and the 32-byte nodes of kernel/locking/qspinlock.c, at addresses that only /proc/kallsyms would give.
    private bool CheckSpinLock(LockView view, ulong address)
    {
        uint word = (uint)Read(address, 4);
        Assert.Equal((word & 0xFF) != 0, view.Queue.Any(one => one.IsOwner));
        Assert.Equal((word & 0xFF00) != 0, view.Queue.Any(one => one.Description.Contains("pending bit", StringComparison.Ordinal)));
        var expected = new List<ulong>();
        if (word >> 16 != 0)
        {
            ulong node = Node((int)(word >> 18) - 1, (int)(word >> 16 & 3));
            expected.Add(node);
            // Whoever points to it is before it.
            while (AllNodes().FirstOrDefault(other => Read(other, 8) == node && !expected.Contains(other)) is var before and not 0)
            {
                expected.Insert(0, before);
                node = before;
            }
        }
        Assert.Equal(expected, view.Queue.Where(one => one.Node is not null).Select(one => one.Node!.Value));
        return view.Queue.Count(one => !one.IsOwner) >= 2;
    }

    private bool CheckSleepers(LockView view, ulong head, ulong taskOffset)
    {
        var expected = new List<ulong>();
        for (ulong at = Read(head, 8); at != head && expected.Count < 100; at = Read(at, 8)) expected.Add(Read(at + taskOffset, 8));
        // Whom only the history names has no node: it is on its way into the list or out of it.
        Assert.Equal(expected, view.Queue.Where(one => one.Node is not null && one.Description.Contains(" waits", StringComparison.Ordinal)).Select(one => one.Task));
        // Others spin, as long as the owner runs.
        return view.Queue.Count(one => !one.IsOwner) >= 2;
    }

    private ulong Node(int cpu, int index)
    {
        ulong offset = Read(Kernel.Image.Symbols.AddressOf("__per_cpu_offset")!.Value + (ulong)cpu * 8, 8);
        return offset + Kernel.Image.Symbols.AddressOf("qnodes")!.Value + (ulong)index * 32;
    }

    private IEnumerable<ulong> AllNodes()
    {
        for (int cpu = 0; cpu < 4; cpu++)
            for (int i = 0; i < (int)(Read(Node(cpu, 0) + 12, 4) & 7); i++) yield return Node(cpu, i);
    }

    private LinuxKernel Kernel => _programs.Kernel!;

    private ulong Read(ulong address, int sizeBytes)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        Machine machine = linux.Timeline.Machine;
        Assert.Equal(sizeBytes, Kernel.Memory.Read(address, bytes[..sizeBytes]));
        Assert.Same(machine, Kernel.Memory.Machine);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
