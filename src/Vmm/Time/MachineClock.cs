using Vmm.Inputs;
using Vmm.Snapshots;

namespace Vmm.Time;

/// <summary>
/// The guest's clock. Virtual: one nanosecond an instruction, plus the idle time that was skipped, plus what PAUSE and port accesses take on
/// hardware, without which loops that wait for time would execute hundreds of times as many instructions as on a PC. Host: what the input
/// source says, read at most once an instruction.
/// </summary>
internal sealed class MachineClock(InstructionCounter counter, bool followsHost) : IClock, ISnapshotted
{
    /// <summary>With the host's clock, it is asked whether a timer is due at least this often, in instructions.</summary>
    private const ulong PollInterval = 50_000;

    /// <summary>About what Intel's processors since Skylake take for PAUSE.</summary>
    public const ulong PauseNanoseconds = 40;
    /// <summary>An access to a chip behind the ISA bridge takes about this long.</summary>
    public const ulong PortAccessNanoseconds = 500;

    private ulong _skipped, _hostNow, _hostReadAt = ulong.MaxValue;

    /// <summary>Where host time is read from.</summary>
    public IInputSource Inputs { get; set; } = null!;

    public bool FollowsHost => followsHost;

    public string SnapshotName => "clock";

    public ulong NowNanoseconds
    {
        get
        {
            if (!followsHost) return counter.Current + _skipped;
            ulong current = counter.Current;
            if (_hostReadAt == current) return _hostNow;
            ReadHost(current);
            return _hostNow;
        }
    }

    /// <summary>Guest time as far as it is known without asking the host.</summary>
    public ulong KnownNanoseconds => followsHost ? _hostNow : counter.Current + _skipped;

    /// <summary>Host clock: asks again even if this instruction has asked.</summary>
    public void Refresh() => ReadHost(counter.Current);

    /// <summary>Host clock: InstructionCount at which it is asked next, if no instruction asks.</summary>
    public ulong NextPoll { get; private set; }

    public void Poll()
    {
        NextPoll = counter.Current + PollInterval;
        Refresh();
    }

    /// <summary>Virtual clock: the InstructionCount at which guest time reaches a deadline if nothing idles.</summary>
    public ulong CountAt(ulong deadlineNanoseconds) => deadlineNanoseconds <= _skipped ? 0 : deadlineNanoseconds - _skipped;

    /// <summary>Virtual clock: everything is halted until <paramref name="deadlineNanoseconds"/>.</summary>
    public void SkipTo(ulong deadlineNanoseconds)
    {
        ulong now = counter.Current + _skipped;
        if (deadlineNanoseconds > now) _skipped += deadlineNanoseconds - now;
    }

    /// <summary>Virtual clock: the current instruction takes longer than others.</summary>
    public void Spend(ulong nanoseconds) => _skipped += nanoseconds;

    public void Save(StateWriter writer)
    {
        writer.Write("skipped", _skipped);
        writer.Write("hostNow", _hostNow);
        writer.Write("hostReadAt", _hostReadAt);
        writer.Write("nextPoll", NextPoll);
    }

    public void Restore(StateReader reader)
    {
        _skipped = reader.ReadUInt64("skipped");
        _hostNow = reader.ReadUInt64("hostNow");
        _hostReadAt = reader.ReadUInt64("hostReadAt");
        NextPoll = reader.ReadUInt64("nextPoll");
    }

    private void ReadHost(ulong current)
    {
        _hostReadAt = current;
        ulong now = Inputs.ReadTime(counter.Position);
        if (now > _hostNow) _hostNow = now;
    }
}
