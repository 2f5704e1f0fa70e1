using System;
using Introspection.State;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>Kinds of <see cref="ValueLocation"/>.</summary>
public enum LocationKind
{
    /// <summary>Bytes of a general register.</summary>
    General,
    /// <summary>Bytes of RFLAGS; the arithmetic flags are one value.</summary>
    Flags,
    /// <summary>Bytes of an XMM register.</summary>
    Xmm,
    /// <summary>Bytes of guest-physical memory.</summary>
    Memory,
}

/// <summary>Some bytes in a row of one register of a vCPU, or of guest-physical memory: what can be asked for an origin.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="CpuIndex">The register's vCPU; 0 for memory.</param>
/// <param name="Number">The register's number, 0 to 15; 0 for memory and flags.</param>
/// <param name="Address">The first byte: guest-physical, or from the register's lowest.</param>
/// <param name="SizeBytes">1 to 16.</param>
public readonly record struct ValueLocation(LocationKind Kind, int CpuIndex, int Number, ulong Address, int SizeBytes)
{
    public const int MaximumSizeBytes = 16;

    private static readonly string[] s_lowBytes = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];

    public static ValueLocation General(int cpuIndex, int number, int offset, int sizeBytes) =>
        new(LocationKind.General, cpuIndex, number, (ulong)offset, sizeBytes);

    public static ValueLocation Flags(int cpuIndex) => new(LocationKind.Flags, cpuIndex, 0, 0, 8);

    public static ValueLocation Xmm(int cpuIndex, int number, int offset, int sizeBytes) => new(LocationKind.Xmm, cpuIndex, number, (ulong)offset, sizeBytes);

    public static ValueLocation Memory(ulong physical, int sizeBytes) => new(LocationKind.Memory, 0, 0, physical, sizeBytes);

    /// <summary>A register of a vCPU by its name: rax, eax, ax, al, ah, r8d, xmm3, rflags; null: none that values are followed in.</summary>
    public static ValueLocation? Register(int cpuIndex, string name)
    {
        string lower = name.Trim().ToLowerInvariant();
        if (lower is "rflags" or "eflags") return Flags(cpuIndex);
        for (int number = 0; number < 16; number++)
        {
            if (lower == $"xmm{number}") return Xmm(cpuIndex, number, 0, 16);
            foreach ((int offset, int size) in ((int, int)[])[(0, 8), (0, 4), (0, 2), (0, 1), (1, 1)])
                if (GeneralName(number, offset, size) == lower) return General(cpuIndex, number, offset, size);
        }
        return null;
    }

    /// <summary>Memory by its address; null: it is no RAM, more than <see cref="MaximumSizeBytes"/>, or crosses into a page that is elsewhere.</summary>
    public static ValueLocation? At(in GuestView view, in MemoryPlace place, int sizeBytes)
    {
        if (sizeBytes is < 1 or > MaximumSizeBytes || view.MemoryAt(place, 0) is not { } first) return null;
        return view.MemoryAt(place, (ulong)sizeBytes - 1) == first + (ulong)sizeBytes - 1 ? Memory(first, sizeBytes) : null;
    }

    public bool IsRegister => Kind != LocationKind.Memory;

    /// <summary>Offset behind the last byte, in the register.</summary>
    public int EndOffset => (int)Address + SizeBytes;

    /// <summary>Some of its bytes.</summary>
    public ValueLocation Slice(int offset, int sizeBytes) => this with { Address = Address + (ulong)offset, SizeBytes = sizeBytes };

    /// <summary>The value of its bytes on a machine; memory that is not there reads as 0.</summary>
    public UInt128 Read(Machine machine)
    {
        if (Kind != LocationKind.Memory) return Cut(Whole(machine.Vcpus[CpuIndex].State) >> (int)Address * 8, SizeBytes);
        Span<byte> bytes = stackalloc byte[MaximumSizeBytes];
        bytes.Clear();
        if (IsRam(machine, Address) && IsRam(machine, Address + (ulong)SizeBytes - 1)) machine.Memory.Read(new GuestPhysicalAddress(Address), bytes[..SizeBytes]);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }

    /// <summary>The value of its bytes in a vCPU's registers; not for memory.</summary>
    public UInt128 Read(VcpuState state) => Cut(Whole(state) >> (int)Address * 8, SizeBytes);

    public override string ToString()
    {
        switch (Kind)
        {
            case LocationKind.Flags: return SizeBytes == 8 ? "rflags" : $"rflags[{Address}..{EndOffset - 1}]";
            case LocationKind.Xmm: return SizeBytes == 16 ? $"xmm{Number}" : $"xmm{Number}[{Address}..{EndOffset - 1}]";
            case LocationKind.General: return GeneralName(Number, (int)Address, SizeBytes) ?? $"{RegisterFile.General[Number]}[{Address}..{EndOffset - 1}]";
            default: return $"{(SizeBytes == 1 ? "1 byte" : $"{SizeBytes} bytes")} at {new MemoryPlace(Address, true)}";
        }
    }

    /// <summary>A value of its size in hexadecimal.</summary>
    public static string Text(UInt128 value) => value <= ulong.MaxValue ? Hexadecimal.Of((ulong)value) : $"0x{value:x}";

    internal static UInt128 Cut(UInt128 value, int sizeBytes) => sizeBytes >= 16 ? value : value & (((UInt128)1 << sizeBytes * 8) - 1);

    private static bool IsRam(Machine machine, ulong physical) => machine.Memory.RamOffset(physical) >= 0;

    private UInt128 Whole(VcpuState state) => Kind switch
    {
        LocationKind.General => state.General[Number],
        LocationKind.Flags => state.ReadRFlags(),
        _ => new UInt128(state.XmmAs<ulong>(Number)[1], state.XmmAs<ulong>(Number)[0]),
    };

    // Null where the bytes have no name of their own.
    private static string? GeneralName(int number, int offset, int sizeBytes)
    {
        string whole = RegisterFile.General[number];
        bool isOld = number < 8;
        return (offset, sizeBytes) switch
        {
            (0, 8) => whole,
            (0, 4) => isOld ? "e" + whole[1..] : whole + "d",
            (0, 2) => isOld ? whole[1..] : whole + "w",
            (0, 1) => isOld ? s_lowBytes[number] : whole + "b",
            (1, 1) when number < 4 => $"{whole[1]}h",
            _ => null,
        };
    }
}
