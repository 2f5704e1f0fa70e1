using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Introspection.Linux;
using Introspection.Linux.Initrd;
using Introspection.Paging;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Elf;
using Symbols.Kallsyms;
using Symbols.Types;
using TestKit;
using Vmm.Cpu;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Linux;

/// <summary>What memory alone says about a Linux guest is what the guest itself says on its console at that moment.</summary>
[Trait("Category", "Slow")]
public abstract partial class LinuxKernelTests(LinuxRecording linux)
{
    /// <summary>Where the file is linked (CONFIG_PHYSICAL_START).</summary>
    protected const ulong LinkAddress = 0xffffffff81000000;

    protected LinuxRecording Linux { get; } = linux;

    [Fact]
    public void Its_symbols_are_those_of_proc_kallsyms()
    {
        KallsymsTable symbols = Linux.AtEnd().Image.Symbols;
        string[] lines = [.. Linux.Unpacked("kallsyms").Where(line => !line.Contains('\t', StringComparison.Ordinal))];
        Assert.True(lines.Length > 50_000, $"only {lines.Length} symbols were printed");
        Assert.Equal(lines.Length, symbols.Count);
        for (int i = 0; i < lines.Length; i++)
        {
            KernelSymbol symbol = symbols[i];
            Assert.Equal(lines[i], $"{symbol.Address:x16} {symbol.Type} {symbol.Name}");
        }
    }

    [Fact]
    public void Names_are_found_by_address_and_addresses_by_name()
    {
        LinuxKernel kernel = Linux.AtEnd();
        var symbols = new List<(ulong Address, string Name)>();
        foreach (string line in Linux.Unpacked("kallsyms"))
        {
            string[] words = line.Split(' ', '\t');
            if (!line.StartsWith("ffffffff", StringComparison.Ordinal)) continue;
            symbols.Add((Hex(words[0]), words[2]));
        }
        Dictionary<ulong, string> first = symbols.GroupBy(each => each.Address).ToDictionary(group => group.Key, group => group.First().Name);
        ILookup<string, ulong> byName = symbols.ToLookup(each => each.Name, each => each.Address);
        for (int i = 0; i < symbols.Count; i += 13)
        {
            (ulong address, string name) = symbols[i];
            if (address < kernel.Image.Symbols.AddressOf("_end")) Assert.Equal(first[address], kernel.NameOf(address, out _));
            Assert.Equal(byName[name].Order(), kernel.AddressesOf(name).Order());
        }
        ulong function = kernel.AddressesOf("vfs_read")[0];
        Assert.Equal("vfs_read", kernel.NameOf(function + 5, out ulong offset));
        Assert.Equal(5UL, offset);
        ulong next = symbols.Select(each => each.Address).Where(address => address > function).Min();
        Assert.Equal(next - function, kernel.SizeOf("vfs_read"));
        Assert.Equal(symbols.Select(each => each.Name).Where(name => name.StartsWith("vfs_re", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal),
            kernel.NamesFrom("vfs_re", 1000).Order(StringComparer.Ordinal));
        Assert.Null(kernel.NameOf(0x401000, out _));
        Assert.Null(kernel.NameOf(kernel.Image.TextAddress - 1, out _));
        Assert.Empty(kernel.AddressesOf("no_such_symbol"));
    }

    [Fact]
    public void Its_modules_are_those_of_proc_modules()
    {
        LinuxKernel kernel = Linux.AtEnd();
        string[] expected = [.. Linux.Section("modules").Select(line => line.Split(' ')).Select(words => $"{words[0]} {words[1]} {words[5]}")];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, kernel.Modules.All.Select(module => $"{module.Name} {module.Ranges[0].SizeBytes} 0x{module.Ranges[0].Start:x}"));
        // The kernel prints the letters of what modules export as capitals, which their tables have not.
        string[] symbols = [.. Linux.Unpacked("kallsyms").Where(line => line.Contains('\t', StringComparison.Ordinal)).Select(line => line.ToLowerInvariant()).Order()];
        Assert.True(symbols.Length > 1000, $"only {symbols.Length} symbols of modules were printed");
        Assert.Equal(symbols, kernel.Modules.All.SelectMany(module => module.Symbols.Select(symbol =>
            $"{symbol.Address:x16} {symbol.Type} {symbol.Name}\t[{module.Name}]".ToLowerInvariant())).Order());
        KernelModule libata = kernel.Modules.All.Single(module => module.Name == "libata");
        // Two functions of one module may have the same address: then either is right.
        foreach (KernelSymbol symbol in libata.Symbols.Where(symbol => libata.Contains(symbol.Address)))
            Assert.Contains(libata.Symbols, other => other.Address == symbol.Address && other.Name == kernel.NameOf(symbol.Address, out _));
        var port = Assert.IsType<RecordType>(libata.Types!.FindType("ata_force_ent", TypeTag.Struct));
        Assert.Equal(["port", "device", "param"], port.Members.Select(member => member.Name));
        Assert.NotNull(libata.Types.FindType("task_struct", TypeTag.Struct));
    }

    [Fact]
    public void Its_version_types_and_build_ID_are_what_it_says()
    {
        LinuxKernel kernel = Linux.AtEnd();
        Assert.Equal(Linux.Section("version").Single(), kernel.Image.Version);
        Assert.Equal(Convert.ToHexStringLower(ElfNotes.Find(Linux.Bytes("notes")).Span), kernel.Image.BuildId);
        ulong start = kernel.AddressesOf("__start_BTF")[0], stop = kernel.AddressesOf("__stop_BTF")[0];
        byte[] types = new byte[stop - start];
        Assert.Equal(types.Length, kernel.Memory.Read(start, types));
        Assert.Contains($"{Hash(types)}  /sys/kernel/btf/vmlinux", Linux.Section("hashes"));
        Assert.Empty(kernel.Image.Types!.Diagnostics.Entries);
        Assert.NotNull(kernel.Types!.FindType("task_struct", TypeTag.Struct)!.SizeBytes);
    }

    [Fact]
    public void Its_threads_are_those_of_proc()
    {
        LinuxKernel kernel = Linux.AtEnd();
        string[] expected = [.. Linux.Section("tasks").Select(Status).Order()];
        Assert.True(expected.Length > 30, $"only {expected.Length} processes were printed");
        Assert.Equal(expected, kernel.Tasks.All.Select(task =>
            $"{task.Pid} ({(task.IsKernelThread ? NameBefore(task.Name) : task.Name)}) {task.State} {task.ParentId} {(task.IsKernelThread ? "kernel" : "user")}").Order());
        Assert.All(kernel.Tasks.All, task => Assert.Equal(task.Pid, task.ProcessId));
        Assert.Equal(["init", "sleep"], kernel.Tasks.All.Where(task => !task.IsKernelThread).Select(task => task.Name));
    }

    [Fact]
    public void A_thread_that_waits_goes_on_in_the_scheduler()
    {
        LinuxKernel kernel = Linux.AtEnd();
        LinuxTask[] waiting = [.. kernel.Tasks.All.Where(task => !task.IsRunning)];
        Assert.True(waiting.Length > 30);
        foreach (LinuxTask task in waiting)
        {
            SwitchFrame frame = Assert.NotNull(kernel.Tasks.FrameOf(task));
            Assert.Contains(kernel.NameOf(frame.Rip, out _), (string[])["__schedule", "ret_from_fork"]);
            Assert.InRange(frame.Rsp, task.Stack, task.Stack + 0x4000);
        }
    }

    [Fact]
    public void Each_vCPU_runs_what_the_kernel_says()
    {
        LinuxKernel kernel = Linux.AtEnd();
        Assert.Equal(2, kernel.Tasks.CpuCount);
        foreach (Vcpu vcpu in Linux.Timeline.Machine.Vcpus)
        {
            Assert.Equal(vcpu.Index, kernel.Tasks.CpuOf(vcpu));
            LinuxTask current = Assert.IsType<LinuxTask>(kernel.Tasks.Current(vcpu));
            Assert.True(current.IsRunning);
            Assert.Equal(vcpu.Index, current.Cpu);
            Assert.Equal(vcpu.Index, (int)kernel.Memory.ReadNumber(kernel.Tasks.PerCpuAddress("cpu_number", vcpu.Index)!.Value, 4)!.Value);
        }
        Assert.Contains(Linux.Timeline.Machine.Vcpus, vcpu => kernel.Tasks.Current(vcpu)!.Pid == 1);
        Assert.Null(kernel.Tasks.PerCpuOffset(2));
    }

    [Fact]
    public void Its_mappings_are_those_of_proc_maps()
    {
        LinuxKernel kernel = Linux.AtEnd();
        LinuxTask init = kernel.Tasks.All.Single(task => task.Pid == 1);
        IReadOnlyList<LinuxMapping> mappings = kernel.MappingsOf(init);
        Assert.Equal(Linux.Section("maps").Select(line => DeviceAndInode().Replace(line, " ").TrimEnd()),
            mappings.Select(mapping => $"{mapping.Start:x8}-{mapping.End:x8} {mapping.Permissions} {mapping.FileOffset:x8} {mapping.Path ?? mapping.Label}".TrimEnd()));
        Assert.Empty(kernel.MappingsOf(kernel.Tasks.All.Single(task => task.Pid == 2)));
    }

    [Fact]
    public void Its_programs_are_mapped_where_their_files_say()
    {
        LinuxKernel kernel = Linux.AtEnd();
        InitrdFiles files = InitrdFiles.Of(Linux.Timeline.Machine.Configuration)!;
        Assert.Null(files.Problem);
        ReadOnlyMemory<byte> busybox = files.Find("/bin/sh")!.Value;
        Assert.Contains($"{Hash(busybox.Span)}  /bin/busybox", Linux.Section("hashes"));
        using ElfImage file = ElfImage.Open(busybox, "busybox");
        foreach (LinuxTask task in kernel.Tasks.All.Where(task => !task.IsKernelThread))
        {
            MappedProgram program = kernel.ProgramsOf(task).Single(each => each.Path == "/bin/busybox");
            Assert.Equal(program.BiasOf(file), program.Bias ?? 0);
            if (program.BuildId is { } id) Assert.Equal(file.BuildIdText, id);
            // What lies there is the file's code.
            byte[] mapped = new byte[64], original = file.Data(".text").Window(0, 64).ToArray();
            ulong text = file.Section(".text")!.Address + program.BiasOf(file)!.Value;
            if (kernel.UserMemoryOf(task)!.Read(text, mapped) == mapped.Length) Assert.Equal(original, mapped);
        }
        Assert.Equal(file.BuildIdText, kernel.ProgramsOf(kernel.Tasks.All[0]).Single(each => each.Path == "/bin/busybox").BuildId);
    }

    /// <summary>
    /// Every kernel stack leads to where the kernel itself begins one, or to the program that entered it: nothing is guessed. The first task's begins in code that is thrown away
    /// when the kernel has started: rest_init is the last that is still there.
    /// </summary>
    [Fact]
    public void Its_stacks_are_whole_without_any_file()
    {
        using GuestPrograms programs = SymbolLoader.Load(Linux.File, null, null, Assert.Fail);
        Linux.AtEnd();
        ulong end = Linux.Timeline.Position.InstructionCount;
        var random = new Random(11);
        int inKernel = 0, fromPrograms = 0;
        var failures = new List<string>();
        for (int i = 0; i < 250; i++)
        {
            Linux.Timeline.Seek(new Position(end / 2 + (ulong)random.NextInt64((long)(end / 2)), 0));
            GuestView view = Linux.View;
            SymbolSet symbols = programs.At(view);
            if (view.Vcpu.State.Cpl == 3 || symbols.Kernel is null) continue;
            inKernel++;
            List<CallFrame> frames = new StackUnwinder(view, symbols).Walk();
            CallFrame last = frames.FindLast(frame => !frame.IsUser), program = frames.Find(frame => frame.IsUser);
            string? root = symbols.NameOf(last.Lookup, out _);
            bool isWhole = program != default || root is "ret_from_fork" or "secondary_startup_64_no_verify" or "rest_init";
            if (program != default) fromPrograms++;
            if (!isWhole || frames.Exists(frame => !frame.IsUser && frame.Origin is FrameOrigin.Guess or FrameOrigin.FramePointer))
                failures.Add($"{Linux.Timeline.Position}: {string.Join(" < ", frames.ConvertAll(frame => $"{symbols.NameOf(frame.Lookup, out _)} ({frame.Origin})"))}");
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {inKernel}:\n{string.Join('\n', failures)}");
        Assert.True(inKernel > 50 && fromPrograms > 20, $"{inKernel} in the kernel, {fromPrograms} of them below a program");
    }

    /// <summary>In a jump that must not be predicted, where it goes to lies on the stack like a return address.</summary>
    [Fact]
    public void A_jump_by_a_thunk_has_one_caller()
    {
        using GuestPrograms programs = SymbolLoader.Load(Linux.File, null, null, Assert.Fail);
        KallsymsTable symbols = Linux.AtEnd().Image.Symbols;
        ulong[] thunks = [.. Enumerable.Range(0, symbols.Count).Select(i => symbols[i])
            .Where(symbol => symbol.Name.StartsWith("__x86_indirect_thunk_r", StringComparison.Ordinal)).Select(symbol => symbol.Address).Distinct()];
        Assert.True(thunks.Length >= 15, $"{thunks.Length} thunks");
        Linux.Timeline.Seek(new Position(Linux.Timeline.End.InstructionCount / 10 * 9));
        for (int i = 0; i < 20; i++)
        {
            TimelineStop stop = Linux.Timeline.Continue([.. thunks.Select(StopCondition.Breakpoint)]);
            Assert.Equal(TimelineStopReason.Hit, stop.Reason);
            int cpu = stop.Hits[0].Event.CpuIndex;
            var callers = new List<(ulong, ulong)>();
            ulong first = 0;
            while (true)
            {
                GuestView view = new(Linux.Timeline.Machine, Linux.Timeline.Machine.Vcpus[cpu]);
                ulong rip = view.Vcpu.State.Rip;
                if (first == 0) first = rip;
                if (rip - first > 0x40) break;
                List<CallFrame> frames = new StackUnwinder(view, programs.At(view)).Walk(2);
                Assert.NotEqual(FrameOrigin.Guess, frames[1].Origin);
                callers.Add((frames[1].Code, frames[1].Stack));
                Linux.Timeline.StepForward();
            }
            Assert.True(callers.Count > 1 && callers.Distinct().Count() == 1, $"{stop.Position}: {string.Join(", ", callers.Select(each => $"{each.Item1:x}"))}");
        }
    }

    /// <summary>While a function aligns its stack, R10 alone leads to its caller.</summary>
    [Fact]
    public void A_function_that_aligns_its_stack_has_one_caller()
    {
        using GuestPrograms programs = SymbolLoader.Load(Linux.File, null, null, Assert.Fail);
        LinuxKernel kernel = Linux.AtEnd();
        ulong[] entries = [.. ((string[])["__fsnotify_parent", "notify_change", "__aa_path_perm.part.0"]).SelectMany(kernel.AddressesOf)];
        // Files are made from the initramfs early in the boot.
        Linux.Timeline.Seek(Linux.Timeline.Start);
        int followed = 0;
        for (int i = 0; i < 5; i++)
        {
            TimelineStop stop = Linux.Timeline.Continue([.. entries.Select(StopCondition.Breakpoint)]);
            Assert.Equal(TimelineStopReason.Hit, stop.Reason);
            int cpu = stop.Hits[0].Event.CpuIndex;
            GuestView view = new(Linux.Timeline.Machine, Linux.Timeline.Machine.Vcpus[cpu]);
            ulong entry = view.Vcpu.State.Rip, stack = view.Vcpu.State.Rsp, caller = view.ReadNumber(stack, 8)!.Value;
            for (int steps = 0; steps < 20 && view.Vcpu.State.Rip - entry < 64; steps++)
            {
                CallFrame frame = new StackUnwinder(view, programs.At(view)).Walk(2)[1];
                Assert.Equal((caller, stack + 8, FrameOrigin.CallFrameInformation), (frame.Code, frame.Stack, frame.Origin));
                if (view.Vcpu.State.General[10] == stack + 8) followed++;
                Linux.Timeline.StepForward();
                view = new GuestView(Linux.Timeline.Machine, Linux.Timeline.Machine.Vcpus[cpu]);
            }
        }
        Assert.True(followed > 5, $"{followed} instructions with the way back in R10");
    }

    /// <summary>Of 16 moments of the recording, at so many it is there: the others are before it is unpacked.</summary>
    protected virtual int FewestMoments => 8;

    [Fact]
    public void It_is_found_at_every_moment_at_which_it_is_there()
    {
        KernelImage image = Linux.AtEnd().Image;
        Position end = Linux.Timeline.End;
        int found = 0, running = 0;
        for (ulong i = 0; i <= 16; i++)
        {
            Linux.Timeline.Seek(new Position(end.InstructionCount / 16 * i));
            LinuxKernel? fresh = LinuxKernel.TryFind(Linux.View), known = LinuxKernel.TryFind(Linux.View, image);
            Assert.Equal(fresh is null, known is null);
            // Once it has begun, it is always there, and knowing it spares reading it again.
            Assert.False(fresh is null && found > 0, $"at {i}/16 the kernel is gone");
            // What unpacks it runs elsewhere, and takes its time.
            bool isRunning = Linux.View.CodeAddress >= image.TextAddress;
            Assert.False(fresh is null && isRunning, $"at {i}/16 the kernel runs, and is not found");
            if (isRunning) running++;
            if (fresh is null) continue;
            found++;
            Assert.Same(image, known!.Image);
            Assert.Equal(image.TextAddress, fresh.Image.TextAddress);
            Assert.Equal(image.Symbols.Count, fresh.Image.Symbols.Count);
        }
        Assert.InRange(found, FewestMoments, 16);
        Assert.InRange(running, 4, found);
        Linux.Timeline.Seek(Linux.Timeline.Start);
        Assert.Null(LinuxKernel.TryFind(Linux.View));
        Assert.Null(LinuxKernel.TryFind(Linux.View, image));
    }

    // The number, the name, the state, the parent and PF_KTHREAD of a line of /proc/PID/stat (proc(5)).
    private static string Status(string line)
    {
        int name = line.IndexOf('(', StringComparison.Ordinal), end = line.LastIndexOf(')');
        string[] words = line[(end + 2)..].Split(' ');
        bool isKernel = (uint.Parse(words[6], CultureInfo.InvariantCulture) & 0x200000) != 0;
        string text = line[(name + 1)..end];
        return $"{line[..(name - 1)]} ({(isKernel ? NameBefore(text) : text)}) {words[0]} {words[1]} {(isKernel ? "kernel" : "user")}";
    }

    // Of kernel threads the kernel shows more than the 15 characters that each has: a longer name, or of a worker what it works on.
    private static string NameBefore(string name)
    {
        if (name.StartsWith("kworker/", StringComparison.Ordinal)) name = name.Split('-', '+')[0];
        return name.Length > 15 ? name[..15] : name;
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@" [0-9a-f]+:[0-9a-f]+ \d+ *")]
    private static partial Regex DeviceAndInode();
}

/// <summary>With KASLR.</summary>
[Trait("Category", "Slow")]
public sealed class SlidingLinuxTests(SlidingLinux linux) : LinuxKernelTests(linux), IClassFixture<SlidingLinux>
{
    [Fact]
    public void It_has_slid() => Assert.NotEqual(LinkAddress, Linux.AtEnd().Image.TextAddress);

    /// <summary>Programs run on the page tables that the kernel has loaded, whatever lies in the page behind them.</summary>
    [Fact]
    public void Its_page_tables_are_not_isolated()
    {
        Linux.AtEnd();
        Linux.Timeline.Seek(new Position(Linux.Timeline.Position.InstructionCount / 10 * 9));
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(TimelineStopReason.Hit, Linux.Timeline.Continue([StopCondition.SoftwareInterrupt(null)]).Reason);
            Linux.Timeline.StepForward();
            GuestView view = Linux.View;
            if (view.Vcpu.State.Cpl == 0) Assert.Equal(view.Vcpu.State.Cr3 & ~0xFFFUL, IsolatedTables.RootInUserMode(view, view.Vcpu.State.Rcx));
        }
    }
}

/// <summary>Without.</summary>
[Trait("Category", "Slow")]
public sealed class FixedLinuxTests(FixedLinux linux) : LinuxKernelTests(linux), IClassFixture<FixedLinux>
{
    [Fact]
    public void It_is_where_it_was_linked() => Assert.Equal(LinkAddress, Linux.AtEnd().Image.TextAddress);
}

/// <summary>With page-table isolation.</summary>
[Trait("Category", "Slow")]
public sealed class IsolatedLinuxTests(IsolatedLinux linux) : LinuxKernelTests(linux), IClassFixture<IsolatedLinux>
{
    /// <summary>A program that calls the kernel is below its frames at each instruction, whichever page tables are loaded.</summary>
    [Fact]
    public void The_way_into_it_leads_back_to_the_program()
    {
        using GuestPrograms programs = SymbolLoader.Load(Linux.File, null, null, Assert.Fail);
        Linux.AtEnd();
        Linux.Timeline.Seek(new Position(Linux.Timeline.Position.InstructionCount / 10 * 9));
        int onUserTables = 0, onOwnTables = 0;
        for (int i = 0; i < 10; i++)
        {
            TimelineStop stop = Linux.Timeline.Continue([StopCondition.SoftwareInterrupt(null)]);
            Assert.Equal(TimelineStopReason.Hit, stop.Reason);
            int cpu = stop.Hits[0].Event.CpuIndex;
            GuestView view = new(Linux.Timeline.Machine, Linux.Timeline.Machine.Vcpus[cpu]);
            ulong stack = view.Vcpu.State.Rsp, code = 0, root = view.Vcpu.State.Cr3 & ~0xFFFUL;
            Assert.Equal(IsolatedTables.UserTable, root & IsolatedTables.UserTable);
            byte[] bottom = new byte[64], same = new byte[64];
            int size = view.Read(stack, bottom);
            for (int steps = 0; steps < 60; steps++)
            {
                Linux.Timeline.StepForward();
                view = new GuestView(Linux.Timeline.Machine, Linux.Timeline.Machine.Vcpus[cpu]);
                if (Linux.Timeline.Machine.CurrentCpuIndex != cpu || view.Vcpu.State.Cpl == 3) continue;
                if (code == 0) code = view.Vcpu.State.Rcx;
                if ((view.Vcpu.State.Cr3 & IsolatedTables.UserTable) != 0) onUserTables++;
                else onOwnTables++;
                List<CallFrame> frames = new StackUnwinder(view, programs.At(view)).Walk();
                int program = frames.FindIndex(frame => frame.IsUser);
                string trace = $"{Linux.Timeline.Position}: {string.Join(" < ", frames.ConvertAll(frame => $"{frame.Code:x} {frame.Stack:x} ({frame.Origin})"))}";
                Assert.True(program > 0 && frames[program].Code == code && frames[program].Stack == stack, trace);
                Assert.Equal(root, IsolatedTables.RootInUserMode(view, code));
                Assert.Equal(size, view.Read(stack, same));
                Assert.Equal(bottom, same);
            }
        }
        Assert.True(onUserTables > 0 && onOwnTables > 0, $"{onUserTables} instructions of the kernel on user mode's page tables, {onOwnTables} on its own");
    }
}

/// <summary>Debian's kernel for any machine.</summary>
[Trait("Category", "Slow")]
public sealed class GenericLinuxTests(GenericLinux linux) : LinuxKernelTests(linux), IClassFixture<GenericLinux>
{
    // It is larger, and takes longer to unpack.
    protected override int FewestMoments => 7;

    [Fact]
    public void It_is_not_the_one_for_virtual_machines() => Assert.DoesNotContain("cloud", Linux.Section("version")[0], StringComparison.Ordinal);
}
