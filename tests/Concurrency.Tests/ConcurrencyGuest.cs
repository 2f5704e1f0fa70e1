using System;
using System.Buffers.Binary;
using System.IO;
using System.Linq;
using Replay.Exploration;
using Symbols.Elf;
using TestKit;
using Vmm.Inputs;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Concurrency.Tests;

/// <summary>One of guests/concurrency, by name: "mcs", "mcs-broken". Its variables are read by the addresses of its symbol table.</summary>
internal sealed class ConcurrencyGuest : IInputSource, IOutputSink
{
    private const ulong KernelBase = 0xFFFF_FFFF_8000_0000;
    private readonly string _path;
    private readonly ElfImage _image;

    public ConcurrencyGuest(string name)
    {
        _path = GuestImages.Own($"concurrency-{name}.elf");
        _image = ElfImage.Open(_path);
    }

    /// <summary>What the tests explore with: the guests say themselves what is wrong.</summary>
    public static FailureCriteria Criteria { get; } = new() { MaximumInstructions = 5_000_000 };

    public MachineConfiguration Configuration(int cpuCount = 4) => new()
    {
        CpuCount = cpuCount, MemorySizeBytes = 16 << 20, Images = [new MachineImage("kernel", Path.GetFileName(_path), File.ReadAllBytes(_path))],
    };

    public ulong AddressOf(string symbol) => _image.Symbols.ByName(symbol).Single().Address;

    public Machine Boot(MachineConfiguration configuration) => new(configuration, this, this);

    public ulong Read(Machine machine, string symbol, int offset = 0) => ReadAt(machine, AddressOf(symbol) + (ulong)offset);

    /// <summary>Eight bytes of the kernel's image; they do not cross a page.</summary>
    public static ulong ReadAt(Machine machine, ulong linear)
    {
        ulong physical = linear - KernelBase;
        return BinaryPrimitives.ReadUInt64LittleEndian(machine.Memory.Ram.Page((int)(physical >> PagedMemory.PageShift))[(int)(physical & (PagedMemory.PageSizeBytes - 1))..]);
    }

    /// <summary>Runs to the first time that a function is called.</summary>
    public void RunTo(Machine machine, string function)
    {
        var stop = new StopBefore(machine);
        machine.SetBreakpoints([AddressOf(function)]);
        machine.Observer = stop;
        Assert.Equal(RunStop.Requested, machine.Run(5_000_000));
        machine.Observer = null;
    }

    ulong IInputSource.NextArrival => ulong.MaxValue;

    bool IInputSource.TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    ulong IInputSource.ReadTime(Position at) => throw new InvalidOperationException("the clock is virtual");

    void IInputSource.FillEntropy(Position at, Span<byte> destination) => throw new InvalidOperationException("nobody asks for entropy");

    bool IInputSource.Idle(Position at, ulong nanosecondsToTimer) => false;

    void IOutputSink.Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }

    private sealed class StopBefore(Machine machine) : IMachineObserver
    {
        public uint WantedKinds => 1u << (int)MachineEventKind.Execute;

        public void OnEvent(in MachineEvent machineEvent) => machine.RequestStopBefore();
    }
}
