using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Origins;
using Introspection.State;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Tests.Origins;

/// <summary>
/// Who wrote what last, by brute force: every transition from the start, each register byte by what changes and by what the text of the instruction says that it writes, each byte of
/// the lowest memory by the store that the machine reports. Knows nothing of the search that it is compared with.
/// </summary>
internal sealed class WriterOracle : IMachineObserver, IDisposable
{
    public const int MemorySizeBytes = 4 << 20;

    // First operands of these are only read, or are no register.
    private static readonly HashSet<string> s_readers =
    [
        "cmp", "test", "push", "jmp", "call", "ret", "bt", "nop", "out", "int", "hlt", "div", "idiv", "mul", "ltr", "lldt", "lgdt", "lidt", "invlpg", "stosb", "stosw", "stosd", "stosq",
        "movsb", "movsw", "movsd", "movsq", "scasb", "cmpsb", "insb", "insw", "insd", "outsb", "outsw", "outsd", "lmsw", "verr", "verw", "leave", "loop", "enter", "ud2", "endbr64",
    ];

    private readonly Replayer _replayer;
    private readonly Position?[][] _registers;
    private readonly Position[] _memory = new Position[MemorySizeBytes];
    private readonly bool[] _isWritten = new bool[MemorySizeBytes];
    private readonly List<(ulong Address, int SizeBytes)> _recent = [];
    private readonly IntelFormatter _formatter = new();
    private readonly StringOutput _output = new();

    public WriterOracle(Replay.Packages.RecordingFile recording)
    {
        _replayer = new Replayer(recording);
        _registers = new Position?[Machine.Vcpus.Count][];
        for (int i = 0; i < _registers.Length; i++) _registers[i] = new Position?[16 * 8];
        Machine.Observer = this;
        Machine.SetWatches([new Watch(true, 0, MemorySizeBytes, false, true)]);
    }

    public Machine Machine => _replayer.Machine;

    public Position Position => _replayer.Position;

    /// <summary>Places that were written lately.</summary>
    public IReadOnlyList<(ulong Address, int SizeBytes)> Recent => _recent;

    public uint WantedKinds => 1u << (int)MachineEventKind.Write;

    public void OnEvent(in MachineEvent machineEvent)
    {
        for (int i = 0; i < Math.Max(1, machineEvent.SizeBytes); i++)
        {
            ulong at = machineEvent.Physical + (ulong)i;
            if (at >= MemorySizeBytes) continue;
            _memory[at] = machineEvent.At;
            _isWritten[at] = true;
        }
        if (_recent.Count >= 4096) _recent.RemoveRange(0, 2048);
        _recent.Add((machineEvent.Physical, machineEvent.SizeBytes));
    }

    /// <summary>The last position before here at which any of the bytes was written; null: none was.</summary>
    public Position? LastWriter(ValueLocation location)
    {
        Position? last = null;
        for (int i = 0; i < location.SizeBytes; i++)
        {
            int at = (int)location.Address + i;
            Position? one = location.IsRegister ? _registers[location.CpuIndex][location.Number * 8 + at] : _isWritten[at] ? _memory[at] : null;
            if (one is { } known && (last is null || known > last)) last = known;
        }
        return last;
    }

    public void Step()
    {
        Position at = Position;
        var before = new VcpuState[Machine.Vcpus.Count];
        for (int i = 0; i < before.Length; i++) before[i] = Machine.Vcpus[i].State;
        int cpu = Machine.CurrentCpuIndex;
        string text = Text(new GuestView(Machine, Machine.Vcpus[cpu]), out bool is64);
        _replayer.Step();
        for (int i = 0; i < before.Length; i++)
        {
            for (int register = 0; register < 16; register++)
            {
                ulong changed = before[i].General[register] ^ Machine.Vcpus[i].State.General[register];
                for (int b = 0; b < 8; b++)
                    if ((byte)(changed >> b * 8) != 0) _registers[i][register * 8 + b] = at;
            }
        }
        if (Position.InstructionCount == at.InstructionCount) return;
        foreach ((int register, int offset, int size) in Written(text, before[cpu], Machine.Vcpus[cpu].State, is64))
            for (int b = 0; b < (size == 4 && is64 ? 8 : size); b++) _registers[cpu][register * 8 + offset + b] = at;
    }

    public void Dispose() => _replayer.Dispose();

    private string Text(GuestView view, out bool is64)
    {
        var bytes = new byte[15];
        view.Read(view.CodeAddress, bytes);
        is64 = view.CodeSize == 64;
        var decoder = Decoder.Create(view.CodeSize, new ByteArrayCodeReader(bytes), view.CodeAddress);
        decoder.Decode(out Instruction instruction);
        _formatter.Format(instruction, _output);
        return _output.ToStringAndReset();
    }

    private static List<(int Register, int Offset, int SizeBytes)> Written(string text, VcpuState before, VcpuState after, bool is64)
    {
        var written = new List<(int, int, int)>();
        int word = is64 ? 8 : 4;
        void Add(string name)
        {
            if (ValueLocation.Register(0, name) is { Kind: LocationKind.General } part) written.Add((part.Number, (int)part.Address, part.SizeBytes));
        }
        void All(params ReadOnlySpan<int> registers)
        {
            foreach (int register in registers) written.Add((register, 0, word));
        }
        bool isRepeated = text.StartsWith("rep", StringComparison.Ordinal);
        string[] parts = text[(isRepeated || text.StartsWith("lock ", StringComparison.Ordinal) ? text.IndexOf(' ') + 1 : 0)..].Split(' ', 2);
        string name = parts[0];
        string[] operands = parts.Length > 1 ? parts[1].Split(',') : [];
        if (isRepeated && (is64 ? before.Rcx : (uint)before.Rcx) == 0) return written;
        if (isRepeated) All(1);
        string first = operands.Length > 0 ? operands[0].Trim() : "";
        bool zero = (after.ReadRFlags() & RFlags.Zero) != 0;
        if (name == "cmpxchg")
        {
            if (zero) Add(first);
            else Add(Accumulator(operands[1].Trim()));
            return written;
        }
        if (name.StartsWith("cmov", StringComparison.Ordinal) && !Met(name[4..], before.ReadRFlags()))
        {
            // What is narrower than 64 bits still clears the upper half.
            if (is64 && ValueLocation.Register(0, first) is { SizeBytes: 4 } part) written.Add((part.Number, 4, 4));
            return written;
        }
        if (name is "shl" or "shr" or "sar" or "rol" or "ror" && operands[1].Trim() == "cl" && ((byte)before.Rcx & 31) == 0) return written;
        if (!s_readers.Contains(name) && !(name == "imul" && operands.Length == 1) && !name.StartsWith('j')) Add(first);
        if (name is "xchg" or "xadd") Add(operands[1].Trim());
        switch (name)
        {
            case "mul" or "imul" or "div" or "idiv" when operands.Length == 1:
                All(0, 2);
                break;
            case "cpuid": All(0, 1, 2, 3); break;
            case "rdtsc" or "rdmsr": All(0, 2); break;
            case "cwde" or "cdqe": All(0); break;
            case "cdq" or "cqo": All(2); break;
            case "movsb" or "movsw" or "movsd" or "movsq" or "cmpsb": All(6, 7); break;
            case "stosb" or "stosw" or "stosd" or "stosq" or "scasb" or "insb" or "insw" or "insd": All(7); break;
            case "outsb": All(6); break;
            case "lodsb": All(6); Add("al"); break;
            case "lodsd": All(6, 0); break;
            case "loop": All(1); break;
            case "leave": All(4, 5); break;
            case "popad": All(0, 1, 2, 3, 4, 5, 6, 7); break;
            case "syscall": All(1, 11); break;
            case "push" or "pop" or "call" or "ret" or "iretd" or "iretq" or "pushfd" or "pushfq" or "popfd" or "popfq" or "pushad" or "enter" or "int": All(4); break;
        }
        return written;
    }

    private static string Accumulator(string source) => ValueLocation.Register(0, source)?.SizeBytes switch { 8 => "rax", 4 => "eax", 2 => "ax", _ => "al" };

    private static bool Met(string suffix, ulong flags)
    {
        bool Is(ulong bit) => (flags & bit) != 0;
        bool isNegated = suffix is "ae" or "ne" or "a" or "ns" or "no" or "np" or "ge" or "g";
        bool plain = suffix switch
        {
            "b" or "ae" => Is(RFlags.Carry), "e" or "ne" => Is(RFlags.Zero), "be" or "a" => Is(RFlags.Carry) || Is(RFlags.Zero), "s" or "ns" => Is(RFlags.Sign),
            "o" or "no" => Is(RFlags.Overflow), "p" or "np" => Is(RFlags.Parity), "l" or "ge" => Is(RFlags.Sign) != Is(RFlags.Overflow),
            "le" or "g" => Is(RFlags.Zero) || Is(RFlags.Sign) != Is(RFlags.Overflow), _ => throw new InvalidOperationException(suffix),
        };
        return plain != isNegated;
    }
}
