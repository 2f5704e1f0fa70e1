using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Devices;
using Vmm.Snapshots;
using Vmm.Time;
using Xunit;

namespace Devices.Tests;

/// <summary>
/// A workbench for one chip: a clock that the test turns, a timer queue, wires that count edges, and every callback's
/// log.
/// </summary>
internal sealed class Bench : IClock, IIrqSink, IInterruptSignal, IByteSink, IPowerControl, ICpuControl, ICurrentCpu
{
    public ulong NowNanoseconds { get; private set; }

    public TimerQueue Timers { get; } = new();

    public PortBus Ports { get; } = new();

    /// <summary>Rising edges seen, by input.</summary>
    public int[] Rises { get; } = new int[24];

    public bool[] Levels { get; } = new bool[24];

    public List<byte> Output { get; } = [];

    public List<string> Log { get; } = [];

    public int CurrentCpuIndex { get; set; }

    public IrqLine Line(int input) => new(this, input);

    public void SetIrqLevel(int input, bool high)
    {
        if (high) Rises[input]++;
        Levels[input] = high;
    }

    public void Changed()
    {
    }

    public void WriteByte(byte value) => Output.Add(value);

    public void PowerOff() => Log.Add("power off");

    public void Reset() => Log.Add("reset");

    public void DebugExit(uint value) => Log.Add($"debug exit {value}");

    public void Init(int cpu) => Log.Add($"init {cpu}");

    public void Startup(int cpu, byte vector) => Log.Add($"startup {cpu} {vector:x}");

    public void Nmi(int cpu) => Log.Add($"nmi {cpu}");

    /// <summary>Lets time pass, and every timer on the way expire at its deadline.</summary>
    public void Advance(ulong nanoseconds) => AdvanceTo(NowNanoseconds + nanoseconds);

    public void AdvanceTo(ulong nanoseconds)
    {
        while (Timers.NextDeadlineNanoseconds <= nanoseconds)
        {
            NowNanoseconds = Math.Max(NowNanoseconds, Timers.NextDeadlineNanoseconds);
            Timers.ExpireOne(NowNanoseconds);
        }
        NowNanoseconds = nanoseconds;
    }

    /// <summary>Lets time pass within one instruction: timers that fall due have not expired yet.</summary>
    public void AdvanceWithoutTimers(ulong nanoseconds) => NowNanoseconds += nanoseconds;

    public byte In(int port) => (byte)Ports.Read(new PortNumber((ushort)port), 1);

    public uint In(int port, int sizeBytes) => Ports.Read(new PortNumber((ushort)port), sizeBytes);

    public void Out(int port, int value) => Ports.Write(new PortNumber((ushort)port), 1, (uint)value);

    public void Out(int port, int sizeBytes, uint value) => Ports.Write(new PortNumber((ushort)port), sizeBytes, value);

    public static byte[] Save(ISnapshotted chip)
    {
        var writer = new StateWriter();
        chip.Save(writer);
        return writer.Written.ToArray();
    }

    public static void Restore(ISnapshotted chip, byte[] state)
    {
        var reader = new StateReader(state);
        chip.Restore(reader);
        Assert.True(reader.AtEnd);
    }

    /// <summary>Asserts that a chip of another machine takes the state over so that it saves the same.</summary>
    public static void AssertTransfers(ISnapshotted from, ISnapshotted to)
    {
        byte[] state = Save(from);
        Assert.NotEqual(state, Save(to));
        Restore(to, state);
        Assert.Equal(state, Save(to));
    }
}
