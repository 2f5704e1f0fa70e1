using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Replay.Recording;
using Symbols.Elf;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>
/// What a critical section costs as vCPUs are added, in transfers of the lock's cache lines: test-and-set, test-and-test-and-set and MCS (Anderson and Dahlin, "Operating
/// Systems: Principles and Practice", section 5.8). The vCPUs run side by side, an instruction each in turn.
/// </summary>
internal sealed class LockTraffic(string guestFolder, EngineKind engine, CancellationToken cancellation)
{
    private const int MostCpus = 8;
    private const ulong TcbSize = 64, NeedToWaitOffset = 8, Slice = 1_000_000, MostInstructions = 100_000_000;

    /// <summary>One lock on one number of vCPUs.</summary>
    private readonly record struct Measurement(string Lock, int CpuCount, long Sections, long OwnerChanges, long Fetches)
    {
        public double ChangesPerSection => (double)OwnerChanges / Math.Max(1, Sections);
        public double FetchesPerSection => (double)Fetches / Math.Max(1, Sections);
    }

    private static readonly (string Guest, string Title)[] s_locks = [("tas", "test-and-set"), ("ttas", "test-and-test-and-set"), ("mcs", "MCS")];

    /// <param name="report">Gets a row for each measurement.</param>
    /// <param name="figures">Where locks.svg and locks.csv are written; null: nowhere.</param>
    public void Run(BenchReport report, string? figures)
    {
        var all = new List<Measurement>();
        foreach ((string guest, string title) in s_locks)
            for (int cpus = 1; cpus <= MostCpus; cpus++) all.Add(Measure(guest, title, cpus));
        foreach (Measurement one in all)
        {
            report.Add($"{one.Lock}, {one.CpuCount} vCPU{(one.CpuCount == 1 ? "" : "s")}: writes to the lock that change its owner, per critical section",
                string.Create(CultureInfo.InvariantCulture, $"{one.ChangesPerSection:F2} (and {one.FetchesPerSection:F2} fetches to read)"));
        }
        report.Note("vCPUs run side by side, one instruction each in turn; 60 critical sections for each; the cache lines of the lock and, for MCS, of the waiters' TCBs are followed");
        if (figures is null) return;
        Directory.CreateDirectory(figures);
        File.WriteAllText(Path.Combine(figures, "locks.csv"), Csv(all));
        File.WriteAllText(Path.Combine(figures, "locks.svg"), Chart(all).ToSvg());
    }

    private Measurement Measure(string guest, string title, int cpuCount)
    {
        string path = Path.Combine(guestFolder, $"concurrency-{guest}.elf");
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist: `make -C guests` makes it");
        using ElfImage image = ElfImage.Open(path);
        ulong counter = AddressOf(image, path, "counter"), tcbs = AddressOf(image, path, "tcbs");
        var watches = new List<Watch> { new(false, AddressOf(image, path, $"{guest}Lock"), guest == "mcs" ? 8 : 4, true, true) };
        for (ulong cpu = 0; guest == "mcs" && cpu < (ulong)cpuCount; cpu++)
        {
            watches.Add(new Watch(false, tcbs + cpu * TcbSize, 8, true, true));
            watches.Add(new Watch(false, tcbs + cpu * TcbSize + NeedToWaitOffset, 1, true, true));
        }
        watches.Add(new Watch(false, counter, 8, false, true));

        var world = new UnrecordedRun.Silence();
        using var machine = new Machine(new MachineConfiguration
        {
            Engine = engine, CpuCount = cpuCount, MemorySizeBytes = 16 << 20, TurnPolicy = TurnPolicy.SideBySide, Images = [MachineSetup.ReadImage("kernel", path)],
        }, world, world);
        var sections = new SectionCounter(counter);
        machine.SetWatches(watches);
        machine.Observer = sections;
        while (machine.InstructionCount < MostInstructions && machine.Run(machine.InstructionCount + Slice) != RunStop.Ended) cancellation.ThrowIfCancellationRequested();
        if (machine.Outcome is not { Kind: OutcomeKind.DebugExit or OutcomeKind.PowerOff, Code: 0 }) throw CommandException.Failed($"{path} on {cpuCount} vCPUs: {machine.Outcome.Detail}");
        return new Measurement(title, cpuCount, sections.Count, sections.Lines.OwnerChanges, sections.Lines.Fetches);
    }

    private static ulong AddressOf(ElfImage image, string path, string symbol)
    {
        IReadOnlyList<ElfSymbol> found = image.Symbols.ByName(symbol);
        return found.Count == 1 ? found[0].Address : throw CommandException.BadFile($"{path} has no symbol {symbol}: make it again with `make -C guests`");
    }

    private static string Csv(List<Measurement> all)
    {
        var text = new StringBuilder("lock,vcpus,critical_sections,owner_changes,fetches,owner_changes_per_section,fetches_per_section\n");
        foreach (Measurement one in all)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{one.Lock},{one.CpuCount},{one.Sections},{one.OwnerChanges},{one.Fetches},{one.ChangesPerSection:F3},{one.FetchesPerSection:F3}\n");
        }
        return text.ToString();
    }

    private static LineChart Chart(List<Measurement> all)
    {
        var chart = new LineChart("Writes to the lock that change its owner, per critical section", "vCPUs");
        foreach ((_, string title) in s_locks)
            chart.Add(title, [.. all.Where(one => one.Lock == title).Select(static one => ((double)one.CpuCount, one.ChangesPerSection))]);
        return chart;
    }

    /// <summary>Counts from the first critical section that touches the counter to the last.</summary>
    private sealed class SectionCounter : IMachineObserver
    {
        private readonly ulong _counter;

        public SectionCounter(ulong counter)
        {
            _counter = counter;
            Lines = new LineOwnership { IsCounting = () => Count > 0 };
        }

        public LineOwnership Lines { get; }
        public long Count { get; private set; }
        public uint WantedKinds => Lines.WantedKinds;

        public void OnEvent(in MachineEvent machineEvent)
        {
            if (machineEvent.Address == _counter) Count++;
            else Lines.OnEvent(machineEvent);
        }
    }
}
