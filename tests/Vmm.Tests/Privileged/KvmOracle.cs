using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO;
using Vmm.Cpu;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Privileged;

/// <summary>A virtual machine under KVM, through <c>host/kvm-oracle.c</c> in a child process.</summary>
internal sealed class KvmOracle : IDisposable
{
    private const int StateSize = (18 * 8) + (8 * 16) + 16 + 8 + (5 * 8) + (8 * 8) + 8;

    private readonly Process _process;
    private readonly byte[] _message = new byte[StateSize + SystemState.MemorySizeBytes];

    public KvmOracle()
    {
        string program = HostProgram.Build("kvm-oracle.c");
        _process = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("the KVM oracle did not start");
    }

    /// <summary>Null when KVM can be used here; else what is missing.</summary>
    public static string? WhyUnavailable()
    {
        string? missing = HostProgram.WhyUnavailable();
        if (missing is not null) return missing;
        try
        {
            using FileStream device = new("/dev/kvm", FileMode.Open, FileAccess.ReadWrite);
            return null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return $"/dev/kvm cannot be opened: {problem.Message}";
        }
    }

    /// <summary>KVM uses VMX or SVM, so that its answers are the CPU's.</summary>
    public static bool IsHardware => Directory.Exists("/sys/module/kvm_intel") || Directory.Exists("/sys/module/kvm_amd");

    /// <summary>Runs a virtual machine from the state until it halts at CPL 0.</summary>
    public SystemState Run(SystemState from)
    {
        Encode(from);
        Stream toOracle = _process.StandardInput.BaseStream;
        toOracle.Write(_message);
        toOracle.Flush();
        _process.StandardOutput.BaseStream.ReadExactly(_message);
        return Decode(from);
    }

    private void Encode(SystemState from)
    {
        Writer writer = new(_message);
        for (int register = 0; register < 16; register++) writer.Write64(from.Cpu.General[register]);
        writer.Write64(from.Cpu.Rip);
        writer.Write64(from.Cpu.ReadRFlags());
        foreach (int number in SystemState.SegmentNumbers)
        {
            SegmentRegister segment = from.Cpu.Segments[number];
            writer.Write64(segment.Base);
            writer.Write32(segment.Limit);
            writer.Write32(segment.Selector | ((uint)segment.AccessRights << 16));
        }
        writer.Write64(from.Cpu.GdtrBase);
        writer.Write64(from.Cpu.IdtrBase);
        writer.Write32(from.Cpu.GdtrLimit);
        writer.Write32(from.Cpu.IdtrLimit);
        foreach (ulong register in (ReadOnlySpan<ulong>)[from.Cpu.Cr0, from.Cpu.Cr2, from.Cpu.Cr3, from.Cpu.Cr4, from.Cpu.Efer]) writer.Write64(register);
        for (int index = 0; index < SystemState.MsrNumbers.Length; index++) writer.Write64(from.Msr(index));
        writer.Write64(0);
        from.Memory.CopyTo(_message, StateSize);
    }

    private SystemState Decode(SystemState from)
    {
        SystemState to = from.Clone();
        Reader reader = new(_message);
        for (int register = 0; register < 16; register++) to.Cpu.General[register] = reader.Read64();
        to.Cpu.Rip = reader.Read64();
        to.Cpu.WriteRFlags(reader.Read64());
        foreach (int number in SystemState.SegmentNumbers)
        {
            SegmentRegister segment = default;
            segment.Base = reader.Read64();
            segment.Limit = reader.Read32();
            uint selectorAndAccess = reader.Read32();
            segment.Selector = (ushort)selectorAndAccess;
            segment.AccessRights = (ushort)(selectorAndAccess >> 16);
            to.Cpu.Segments[number] = segment;
        }
        to.Cpu.GdtrBase = reader.Read64();
        to.Cpu.IdtrBase = reader.Read64();
        to.Cpu.GdtrLimit = reader.Read32();
        to.Cpu.IdtrLimit = reader.Read32();
        to.Cpu.Cr0 = reader.Read64();
        to.Cpu.Cr2 = reader.Read64();
        to.Cpu.Cr3 = reader.Read64();
        to.Cpu.Cr4 = reader.Read64();
        to.Cpu.Efer = reader.Read64();
        for (int index = 0; index < SystemState.MsrNumbers.Length; index++) to.SetMsr(index, reader.Read64());
        to.Outcome = (SystemOutcome)reader.Read32();
        to.Detail = reader.Read32();
        _message.AsSpan(StateSize).CopyTo(to.Memory);
        return to;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000)) _process.Kill();
        _process.Dispose();
    }

    private ref struct Writer(Span<byte> bytes)
    {
        private readonly Span<byte> _bytes = bytes;
        private int _at;

        public void Write64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes[_at..], value);
            _at += 8;
        }

        public void Write32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes[_at..], value);
            _at += 4;
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        public ulong Read64()
        {
            _at += 8;
            return BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(_at - 8)..]);
        }

        public uint Read32()
        {
            _at += 4;
            return BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(_at - 4)..]);
        }
    }
}
