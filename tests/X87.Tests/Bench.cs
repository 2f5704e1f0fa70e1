using Vmm.Cpu;
using Vmm.Decoding;

namespace X87.Tests;

/// <summary>A vCPU to which single instructions are fed as bytes. Data are at <see cref="Data"/>, and DS:RDI points there.</summary>
internal sealed class Bench
{
    public const ulong Code = 0x1000, Data = 0x4000;

    private readonly InstructionDecoder _decoder = new();
    private readonly int _codeSize;

    public Bench(int codeSize = 64)
    {
        _codeSize = codeSize;
        ref VcpuState state = ref Vcpu.State;
        state.Cr0 = Cr0.ProtectionEnable;
        state.Cr4 = Cr4.OsFxsr | Cr4.OsXmmExceptions | Cr4.OsXsave;
        state.Xcr0 = 3;
        state.X87Control = 0x037F;
        state.Mxcsr = 0x1F80;
        state.Rdi = Data;
        for (int i = 0; i < 6; i++)
            state.Segment(i) = new SegmentRegister { Limit = uint.MaxValue, AccessRights = 0x4093, Selector = (ushort)(8 * (i + 1)) };
    }

    public Vcpu Vcpu { get; } = BareVcpu.Create();

    public ref VcpuState State => ref Vcpu.State;

    /// <summary>Executes one instruction.</summary>
    /// <returns>Null, or the vector of its fault.</returns>
    public Vector? Run(params byte[] code)
    {
        for (int i = 0; i < code.Length; i++) Vcpu.TryWrite(Code + (uint)i, code[i]);
        DecodedInstruction decoded = _decoder.Decode(code, Code, Code, Code, _codeSize, 1)[0];
        return decoded.Handler.Invoke(Vcpu, in decoded) == Completion.Fault ? Vcpu.PendingException.Vector : null;
    }

    public byte[] Read(int offset, int sizeBytes)
    {
        byte[] bytes = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++) Vcpu.TryRead(Data + (uint)(offset + i), out bytes[i]);
        return bytes;
    }

    public T Read<T>(int offset) where T : unmanaged
    {
        Vcpu.TryRead(Data + (uint)offset, out T value);
        return value;
    }

    public void Write<T>(int offset, T value) where T : unmanaged => Vcpu.TryWrite(Data + (uint)offset, value);

    public void Fill(int sizeBytes, byte value)
    {
        for (int i = 0; i < sizeBytes; i++) Write(i, value);
    }

    /// <summary>Distinct contents for every register and pointer.</summary>
    public void Populate()
    {
        ref VcpuState state = ref Vcpu.State;
        state.X87Control = 0x0B7F;
        state.X87Status = 0x3C21;
        state.X87Tags = 0b1011_0101;
        state.X87Opcode = 0x0123;
        state.X87InstructionPointer = 0x0001_2345;
        state.X87InstructionSelector = 0x0010;
        state.X87DataPointer = 0x0006_789A;
        state.X87DataSelector = 0x0020;
        state.Mxcsr = 0x5FA1;
        for (int i = 0; i < 8; i++)
            state.X87[i] = new X87Register { Significand = 0x8000_0000_0000_0000 + (uint)i, SignExponent = (ulong)(0x3FFF + i) };
        for (int i = 0; i < 16; i++) state.XmmAs<ulong>(i) = System.Runtime.Intrinsics.Vector128.Create((ulong)i + 1, ~(ulong)i);
    }
}
