using System;
using System.Threading;
using Gdb.Memory;
using Gdb.Packets;
using Gdb.Registers;
using Gdb.Running;
using Replay.Packages;
using Replay.Redaction;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;

namespace Gdb.Sessions;

/// <summary>How a client left.</summary>
internal enum SessionEnd
{
    Gone,
    Detached,
    Killed,
}

/// <summary>
/// A conversation with one client: takes packets, answers each with exactly one (a resume with its stop). Every malformed packet is answered with an error, every
/// unknown one with an empty packet ("Packets", gdb manual appendix E.2). Runs on the engine's thread.
/// </summary>
internal sealed class GdbSession : IDisposable
{
    private const string Good = "OK", Malformed = "E16", NoMemory = "E0e", NotAllowed = "E01", Unknown = "";
    private const int MaxRetransmissions = 16;
    /// <summary>In one packet, with what is around it.</summary>
    private const int MaxReadSizeBytes = (PacketDecoder.MaxSizeBytes - 16) / 2;

    private readonly Connection _connection;
    private readonly RunControl _runs;
    private readonly BreakpointTable _breakpoints = new();
    private readonly DebuggedMachine _machine;
    private readonly RegisterLayout _registers;
    private readonly MonitorCommands _monitor;
    private byte[] _lastSent = [];
    private int _retransmissions;
    private bool _acknowledges = true, _saysSoftware, _saysHardware, _hasListedThreads;
    private int _generalCpu, _resumedCpu = ThreadId.Any;
    private StopReport _lastStop;
    private SessionEnd? _end;
    private CancellationToken _cancellation;

    public GdbSession(Timeline timeline, Connection connection, RunControl runs, bool is64Bit)
    {
        _connection = connection;
        _runs = runs;
        _machine = new DebuggedMachine(timeline, _breakpoints);
        _registers = RegisterLayout.For(is64Bit);
        _monitor = new MonitorCommands(_machine);
        _generalCpu = _machine.Machine.CurrentCpuIndex;
        _lastStop = new StopReport(StopKind.Step, _generalCpu);
    }

    private Machine Machine => _machine.Machine;
    private int CpuCount => Machine.Vcpus.Count;
    private Vcpu GeneralVcpu => Machine.Vcpus[_generalCpu];

    /// <summary>Until the client leaves.</summary>
    public SessionEnd Serve(CancellationToken cancellation)
    {
        _cancellation = cancellation;
        while (_connection.TryTake(out PacketInput input, cancellation))
        {
            switch (input.Kind)
            {
                case PacketInputKind.Packet:
                    Acknowledge('+');
                    Answer(input.Text);
                    break;
                case PacketInputKind.TooLong:
                    Acknowledge('+');
                    Send(Malformed);
                    break;
                case PacketInputKind.BadChecksum:
                    if (_acknowledges) Acknowledge('-');
                    else Send(Malformed);
                    break;
                case PacketInputKind.Acknowledgment:
                    _retransmissions = 0;
                    break;
                case PacketInputKind.Retransmission:
                    if (!_acknowledges || ++_retransmissions > MaxRetransmissions) break;
                    _connection.TrySend(_lastSent);
                    break;
            }
            if (_end is { } end) return end;
        }
        return SessionEnd.Gone;
    }

    public void Dispose() => _machine.Dispose();

    private void Answer(string packet)
    {
        string answer = Dispatch(packet);
        if (_end == SessionEnd.Killed && packet is "k") return;
        Send(answer);
        // The answer to this one is still acknowledged.
        if (packet is "QStartNoAckMode") _acknowledges = false;
    }

    private string Dispatch(string packet)
    {
        if (packet.Length == 0) return Unknown;
        string rest = packet[1..];
        switch (packet[0])
        {
            case '?': return Stopped(_lastStop);
            case 'g': return ReadRegisters();
            case 'G': return WriteRegisters(rest);
            case 'p': return ReadRegister(rest);
            case 'P': return WriteRegister(rest);
            case 'm': return ReadMemory(rest);
            case 'M': return WriteMemory(rest, isBinary: false);
            case 'X': return WriteMemory(rest, isBinary: true);
            case 'H': return SelectThread(rest);
            case 'T': return ThreadId.TryParse(rest, CpuCount, out int alive) && alive != ThreadId.Any ? Good : Malformed;
            case 'Z': return ChangeBreakpoint(rest, isInsertion: true);
            case 'z': return ChangeBreakpoint(rest, isInsertion: false);
            case 'c' when rest.Length == 0:
            case 'C' when rest.Length == 2: return Resume(new ResumeRequest(null, true));
            case 's' when rest.Length == 0:
            case 'S' when rest.Length == 2: return Resume(new ResumeRequest(_resumedCpu, _resumedCpu == ThreadId.Any));
            case 'c' or 's' or 'C' or 'S': return Malformed;
            case 'b': return ResumeBackwards(rest);
            case 'D':
                _end = SessionEnd.Detached;
                return Good;
            case 'k':
                _end = SessionEnd.Killed;
                return Good;
            case 'v': return DispatchVerbose(packet);
            case 'q' or 'Q': return Query(packet);
            default: return Unknown;
        }
    }

    private string DispatchVerbose(string packet)
    {
        const string resume = "vCont;", kill = "vKill;";
        if (packet is "vCont?") return "vCont;c;C;s;S";
        if (packet.StartsWith(resume, StringComparison.Ordinal))
            return ResumeRequest.TryParse(packet[resume.Length..], CpuCount, out ResumeRequest request) ? Resume(request) : Malformed;
        if (!packet.StartsWith(kill, StringComparison.Ordinal)) return Unknown;
        _end = SessionEnd.Killed;
        return Good;
    }

    private string Query(string packet)
    {
        const string supported = "qSupported", features = "qXfer:features:read:", command = "qRcmd,", extra = "qThreadExtraInfo,";
        if (packet.StartsWith(supported, StringComparison.Ordinal)) return Negotiate(packet);
        if (packet.StartsWith(features, StringComparison.Ordinal)) return ReadFeatures(packet[features.Length..]);
        if (packet.StartsWith(command, StringComparison.Ordinal)) return RunMonitorCommand(packet[command.Length..]);
        if (packet.StartsWith(extra, StringComparison.Ordinal)) return DescribeThread(packet[extra.Length..]);
        switch (packet)
        {
            case "QStartNoAckMode": return Good;
            case "qC": return "QC" + ThreadId.Of(_lastStop.CpuIndex);
            // It was there before gdb: quitting gdb leaves it alone.
            case "qAttached": return "1";
            case "qsThreadInfo": return "l";
            case "qSymbol::": return Good;
            case "qfThreadInfo":
                var ids = new string[CpuCount];
                for (int i = 0; i < ids.Length; i++) ids[i] = ThreadId.Of(i);
                return "m" + string.Join(',', ids);
            default: return Unknown;
        }
    }

    private string Negotiate(string packet)
    {
        string[] parts = packet.Split(':', ';');
        _saysSoftware = Array.IndexOf(parts, "swbreak+") >= 0;
        _saysHardware = Array.IndexOf(parts, "hwbreak+") >= 0;
        return $"PacketSize={PacketDecoder.MaxSizeBytes:x};qXfer:features:read+;ReverseStep+;ReverseContinue+;swbreak+;hwbreak+;vContSupported+;"
            + "QStartNoAckMode+;multiprocess-";
    }

    // annex:offset,length
    private string ReadFeatures(string request)
    {
        int colon = request.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !TryPair(request[(colon + 1)..], out ulong offset, out ulong length)) return Malformed;
        if (!request.StartsWith("target.xml:", StringComparison.Ordinal)) return "E00";
        string text = _registers.TargetDescription;
        if (offset >= (ulong)text.Length) return "l";
        // Escapes may double it.
        int count = (int)Math.Min(Math.Min(length, PacketDecoder.MaxSizeBytes / 4), (ulong)text.Length - offset);
        bool isLast = (int)offset + count == text.Length;
        return string.Concat(isLast ? "l" : "m", text.AsSpan((int)offset, count));
    }

    private string RunMonitorCommand(string hexadecimal)
    {
        if (!Hexadecimal.TryBytes(hexadecimal, out byte[] bytes)) return Malformed;
        using CancellationTokenSource run = _runs.Begin(_cancellation);
        try
        {
            Print(_monitor.Run(System.Text.Encoding.UTF8.GetString(bytes), GeneralVcpu, run.Token));
        }
        catch (OperationCanceledException) when (!_cancellation.IsCancellationRequested)
        {
            Print("interrupted\n");
        }
        catch (Exception e) when (e is ReplayDivergenceException or RecordingFormatException or RedactedPositionException)
        {
            Print($"the recording cannot be replayed there: {e.Message}\n");
        }
        finally
        {
            _runs.End();
        }
        return Good;
    }

    private string DescribeThread(string id)
    {
        _hasListedThreads = true;
        if (!ThreadId.TryParse(id, CpuCount, out int cpu) || cpu == ThreadId.Any) return Malformed;
        return Hexadecimal.OfText(VcpuDescription.Of(Machine, Machine.Vcpus[cpu]));
    }

    private string SelectThread(string rest)
    {
        if (rest.Length < 2 || !ThreadId.TryParse(rest.AsSpan(1), CpuCount, out int cpu)) return Malformed;
        switch (rest[0])
        {
            case 'g':
                _generalCpu = cpu == ThreadId.Any ? _lastStop.CpuIndex : cpu;
                return Good;
            case 'c':
                _resumedCpu = cpu;
                return Good;
            default:
                return Malformed;
        }
    }

    private string ReadRegisters()
    {
        Span<byte> bytes = stackalloc byte[_registers.SizeBytes];
        int at = 0;
        foreach (RegisterDescription register in _registers.All)
        {
            RegisterAccess.Read(GeneralVcpu.State, register, bytes[at..]);
            at += register.SizeBytes;
        }
        return Hexadecimal.Of(bytes);
    }

    private string WriteRegisters(string hexadecimal)
    {
        if (!Hexadecimal.TryBytes(hexadecimal, out byte[] bytes) || bytes.Length != _registers.SizeBytes) return Malformed;
        _machine.Divert();
        bool isWritten = true;
        int at = 0;
        foreach (RegisterDescription register in _registers.All)
        {
            isWritten &= RegisterAccess.TryWrite(ref GeneralVcpu.State, register, bytes.AsSpan(at));
            at += register.SizeBytes;
        }
        return isWritten ? Good : NotAllowed;
    }

    private string ReadRegister(string number)
    {
        if (!TryRegister(number, out RegisterDescription register)) return Malformed;
        Span<byte> bytes = stackalloc byte[register.SizeBytes];
        RegisterAccess.Read(GeneralVcpu.State, register, bytes);
        return Hexadecimal.Of(bytes);
    }

    private string WriteRegister(string rest)
    {
        int equals = rest.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || !TryRegister(rest.AsSpan(0, equals), out RegisterDescription register)
            || !Hexadecimal.TryBytes(rest.AsSpan(equals + 1), out byte[] bytes) || bytes.Length != register.SizeBytes) return Malformed;
        // Asked on a copy, so that a refusal does not fork the machine.
        VcpuState copy = GeneralVcpu.State;
        if (!RegisterAccess.TryWrite(ref copy, register, bytes)) return NotAllowed;
        _machine.Divert();
        RegisterAccess.TryWrite(ref GeneralVcpu.State, register, bytes);
        return Good;
    }

    private bool TryRegister(ReadOnlySpan<char> number, out RegisterDescription register)
    {
        bool exists = Hexadecimal.TryNumber(number, out ulong index) && index < (ulong)_registers.All.Count;
        register = _registers.All[exists ? (int)index : 0];
        return exists;
    }

    private string ReadMemory(string rest)
    {
        if (!TryPair(rest, out ulong address, out ulong size)) return Malformed;
        var bytes = new byte[(int)Math.Min(size, MaxReadSizeBytes)];
        int count = LinearMemory.Read(Machine, GeneralVcpu, address, bytes);
        return count == 0 && size > 0 ? NoMemory : Hexadecimal.Of(bytes.AsSpan(0, count));
    }

    private string WriteMemory(string rest, bool isBinary)
    {
        int colon = rest.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !TryPair(rest[..colon], out ulong address, out ulong size)) return Malformed;
        byte[] bytes;
        if (isBinary) bytes = System.Text.Encoding.Latin1.GetBytes(rest[(colon + 1)..]);
        else if (!Hexadecimal.TryBytes(rest.AsSpan(colon + 1), out bytes)) return Malformed;
        if ((ulong)bytes.Length != size) return Malformed;
        // gdb asks so whether there is an X packet at all.
        if (size == 0) return Good;
        if (!LinearMemory.IsRam(Machine, GeneralVcpu, address, bytes.Length)) return NoMemory;
        _machine.Divert();
        LinearMemory.Write(Machine, GeneralVcpu, address, bytes);
        return Good;
    }

    // type,address,kind and perhaps conditions, which were not offered.
    private string ChangeBreakpoint(string rest, bool isInsertion)
    {
        int end = rest.IndexOf(';', StringComparison.Ordinal);
        if (end >= 0) rest = rest[..end];
        if (rest.Length < 3 || rest[1] != ',' || !TryPair(rest[2..], out ulong address, out ulong size)) return Malformed;
        int type = Hexadecimal.Digit(rest[0]);
        if (type is < 0 or > (int)BreakpointKind.Access) return Unknown;
        var kind = (BreakpointKind)type;
        bool isWatch = kind >= BreakpointKind.Write;
        if (isWatch && size is 0 or > BreakpointTable.MaxSizeBytes) return Malformed;
        var breakpoint = new Breakpoint(kind, address, isWatch ? (int)size : 1);
        if (isInsertion) return _breakpoints.TryInsert(breakpoint) ? Good : NotAllowed;
        _breakpoints.Remove(breakpoint);
        return Good;
    }

    private string Resume(ResumeRequest request)
    {
        int? stepped = request.StepsCpu is { } cpu ? (cpu == ThreadId.Any ? DefaultCpu() : cpu) : null;
        return Run(token => stepped is { } index ? _machine.Step(index, request.OthersRun, token) : _machine.Continue(token));
    }

    private string ResumeBackwards(string rest)
    {
        bool stopsForOthers = _resumedCpu == ThreadId.Any;
        int cpu = stopsForOthers ? DefaultCpu() : _resumedCpu;
        return rest switch
        {
            "s" => Run(token => _machine.ReverseStep(cpu, stopsForOthers, token)),
            "c" => Run(_machine.ReverseContinue),
            _ => Unknown,
        };
    }

    /// <summary>
    /// The vCPU that a step means when gdb does not say: `bs` names none unless the scheduler is locked. The one whose registers were read last, as gdb reads them when
    /// the user changes threads; but after a list of threads that is only the list's last.
    /// </summary>
    private int DefaultCpu() => _hasListedThreads ? _lastStop.CpuIndex : _generalCpu;

    private string Run(Func<CancellationToken, StopReport> run)
    {
        if (_machine.TakeNotice() is { } before) Print(before);
        using CancellationTokenSource source = _runs.Begin(_cancellation);
        try
        {
            _lastStop = run(source.Token);
        }
        catch (Exception e) when (e is ReplayDivergenceException or RecordingFormatException or RedactedPositionException)
        {
            return "E.the recording cannot be replayed there: " + e.Message;
        }
        finally
        {
            _runs.End();
        }
        _generalCpu = _lastStop.CpuIndex;
        _hasListedThreads = false;
        if (_machine.TakeNotice() is { } after) Print(after);
        if (_machine.Timeline.Recording.Holes.TellPassed() is { } passed) Print($"ttvm: {passed}\n");
        return Stopped(_lastStop);
    }

    private string Stopped(in StopReport report) => StopReplies.Of(report, _saysSoftware, _saysHardware);

    // Console output; only while gdb waits for the end of a run or of a monitor command.
    private void Print(string text)
    {
        const int pieceLength = 1024;
        for (int at = 0; at < text.Length; at += pieceLength) Send("O" + Hexadecimal.OfText(text.Substring(at, Math.Min(pieceLength, text.Length - at))));
    }

    private void Acknowledge(char sign)
    {
        if (_acknowledges) _connection.TrySend([(byte)sign]);
    }

    private void Send(string text)
    {
        _lastSent = PacketEncoder.Encode(text);
        if (!_connection.TrySend(_lastSent)) _end ??= SessionEnd.Gone;
    }

    private static bool TryPair(string text, out ulong first, out ulong second)
    {
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        second = 0;
        return Hexadecimal.TryNumber(comma < 0 ? "" : text.AsSpan(0, comma), out first) && Hexadecimal.TryNumber(text.AsSpan(comma + 1), out second);
    }
}
