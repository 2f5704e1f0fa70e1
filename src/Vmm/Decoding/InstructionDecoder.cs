using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;

namespace Vmm.Decoding;

/// <summary>Turns bytes into <see cref="DecodedInstruction"/>s with Iced. One per machine; not thread-safe.</summary>
internal sealed class InstructionDecoder
{
    /// <summary>Encodings of extensions that CPUID does not offer decode as what they were before (TZCNT as BSF, LZCNT as BSR).</summary>
    private const DecoderOptions Options = DecoderOptions.NoMPFX_0FBC | DecoderOptions.NoMPFX_0FBD | DecoderOptions.NoWbnoinvd;

    private sealed class BufferReader : CodeReader
    {
        private readonly byte[] _bytes = new byte[2 * 4096];
        private int _position, _length;

        public void Reset(ReadOnlySpan<byte> first)
        {
            first.CopyTo(_bytes);
            _position = 0;
            _length = first.Length;
        }

        public void Append(ReadOnlySpan<byte> more)
        {
            more.CopyTo(_bytes.AsSpan(_length));
            _length += more.Length;
        }

        public void Rewind() => _position = 0;

        public override int ReadByte() => _position < _length ? _bytes[_position++] : -1;
    }

    private readonly BufferReader _reader = new();
    private readonly Decoder[] _decoders;
    private readonly List<DecodedInstruction> _decoded = new(Block.MaximumLength);

    public InstructionDecoder() =>
        _decoders = [Decoder.Create(16, _reader, Options), Decoder.Create(32, _reader, Options), Decoder.Create(64, _reader, Options)];

    /// <summary>Addresses at which blocks must begin, so that breakpoints are seen; null for none.</summary>
    public BreakpointSet? BlockStarts { get; set; }

    /// <summary>
    /// Decodes a block from <paramref name="bytes"/>, which start at <paramref name="rip"/> and run to the end of a page. Empty when the first instruction needs more
    /// bytes than there are: then <see cref="DecodeAcross"/> decides.
    /// </summary>
    public DecodedInstruction[] Decode(ReadOnlySpan<byte> bytes, ulong rip, ulong linear, int codeSize, int maximumLength, ulong physical = ulong.MaxValue)
    {
        _reader.Reset(bytes);
        Decoder decoder = DecoderFor(codeSize);
        decoder.IP = rip;
        _decoded.Clear();
        while (_decoded.Count < maximumLength)
        {
            ulong done = decoder.IP - rip;
            if (_decoded.Count > 0 && BlockStarts is { } starts && starts.Contains(linear + done, physical + done)) break;
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid && decoder.LastError == DecoderError.NoMoreBytes) break;
            _decoded.Add(Reduce(instruction, codeSize));
            if (EndsBlock(instruction)) break;
        }
        return _decoded.ToArray();
    }

    /// <summary>Decodes the one instruction that starts in the bytes last given and goes on in <paramref name="next"/>.</summary>
    public DecodedInstruction DecodeAcross(ReadOnlySpan<byte> next, ulong rip, int codeSize)
    {
        _reader.Rewind();
        _reader.Append(next[..15]);
        Decoder decoder = DecoderFor(codeSize);
        decoder.IP = rip;
        decoder.Decode(out Instruction instruction);
        return Reduce(instruction, codeSize);
    }

    /// <summary>The instructions of a block again, as Iced has them, from the bytes of its page.</summary>
    public void DecodeAgain(ReadOnlySpan<byte> page, Block block, Span<Instruction> instructions)
    {
        Decoder decoder = DecoderFor(block.CodeSize);
        ulong next = block.Rip + 1;
        for (int i = 0; i < instructions.Length; i++)
        {
            ulong rip = block.Instructions[i].Rip;
            if (rip != next)
            {
                _reader.Reset(page[block.OffsetOf(rip)..]);
                decoder.IP = rip;
            }
            decoder.Decode(out instructions[i]);
            next = decoder.IP;
        }
    }

    private Decoder DecoderFor(int codeSize) => _decoders[codeSize >> 5];

    private static bool EndsBlock(in Instruction i)
    {
        if (i.IsInvalid || i.HasRepPrefix || i.HasRepnePrefix) return true;
        return i.FlowControl is not (FlowControl.Next or FlowControl.ConditionalBranch);
    }

    private static DecodedInstruction Reduce(in Instruction i, int codeSize)
    {
        var d = new DecodedInstruction
        {
            Rip = i.IP,
            Length = (byte)Math.Max(i.Length, 1),
            Code = (ushort)i.Code,
            Base = VcpuState.ZeroRegister,
            Index = VcpuState.ZeroRegister,
            AddressSize = (byte)(codeSize / 8),
        };
        bool longMode = codeSize == 64;
        if (longMode) d.Traits |= InstructionTraits.Long;
        if (i.HasLockPrefix) d.Traits |= InstructionTraits.Lock;
        if (i.HasRepPrefix) d.Traits |= InstructionTraits.Rep;
        if (i.HasRepnePrefix) d.Traits |= InstructionTraits.Repne;
        if (i.IsStackInstruction) d.Traits |= InstructionTraits.UsesStack;
        for (int operand = 0; operand < i.OpCount; operand++) ReduceOperand(i, operand, longMode, ref d);
        Interpretation.InstructionBinder.Bind(i, ref d);
        return d;
    }

    private static void ReduceOperand(in Instruction i, int operand, bool longMode, ref DecodedInstruction d)
    {
        switch (i.GetOpKind(operand))
        {
            case OpKind.Register:
                byte number = RegisterNumber(i.GetOpRegister(operand));
                if (operand == 0) d.Destination = number;
                else if (operand == 1) d.Source = number;
                else d.Third = number;
                if (d.OperandSize == 0 && i.GetOpRegister(operand).IsGPR()) d.OperandSize = (byte)i.GetOpRegister(operand).GetSize();
                break;
            case OpKind.Memory:
                d.Traits |= InstructionTraits.Memory;
                d.OperandSize = (byte)i.MemorySize.GetSize();
                ReduceMemory(i, longMode, ref d);
                break;
            case OpKind.NearBranch16 or OpKind.NearBranch32 or OpKind.NearBranch64:
                d.Immediate = i.NearBranchTarget;
                break;
            case OpKind.FarBranch16 or OpKind.FarBranch32:
                break;
            case OpKind.Immediate8_2nd:
                d.Immediate2 = i.Immediate8_2nd;
                break;
            case OpKind.Immediate8 or OpKind.Immediate16 or OpKind.Immediate32 or OpKind.Immediate64
                or OpKind.Immediate8to16 or OpKind.Immediate8to32 or OpKind.Immediate8to64 or OpKind.Immediate32to64:
                d.Immediate = i.GetImmediate(operand);
                break;
        }
    }

    private static void ReduceMemory(in Instruction i, bool longMode, ref DecodedInstruction d)
    {
        d.Displacement = i.MemoryDisplacement64;
        d.Segment = (byte)SegmentOf(i.MemorySegment, longMode);
        if (i.MemorySegment == Register.SS) d.Traits |= InstructionTraits.StackSegment;
        d.Scale = (byte)System.Numerics.BitOperations.Log2((uint)i.MemoryIndexScale);
        if (i.IsIPRelativeMemoryOperand)
        {
            // Iced has added RIP to the displacement; what is left of the mode is the address size.
            d.Displacement = i.IPRelativeMemoryAddress;
            d.AddressSize = (byte)(i.MemoryBase == Register.EIP ? 4 : 8);
            return;
        }
        if (i.MemoryBase != Register.None) d.Base = RegisterNumber(i.MemoryBase);
        if (i.MemoryIndex != Register.None) d.Index = RegisterNumber(i.MemoryIndex);
        Register sized = i.MemoryBase != Register.None ? i.MemoryBase : i.MemoryIndex;
        if (sized != Register.None) d.AddressSize = (byte)sized.GetSize();
        else d.AddressSize = (byte)(i.MemoryDisplSize switch { 2 => 2, 8 => 8, _ => longMode && !HasAddressSizeOverride(i) ? 8 : 4 });
    }

    /// <summary>A displacement without registers says its address size only by its value: above 4 GiB it was sign-extended from 32 bits with 64-bit addresses.</summary>
    private static bool HasAddressSizeOverride(in Instruction i) => i.MemoryDisplSize == 4;

    /// <summary>What a memory operand's segment is: in 64-bit mode all but FS and GS are flat.</summary>
    public static int SegmentOf(Register segment, bool longMode) => segment switch
    {
        Register.FS => SegmentIndex.Fs,
        Register.GS => SegmentIndex.Gs,
        _ when longMode => SegmentIndex.Flat,
        Register.ES => SegmentIndex.Es,
        Register.CS => SegmentIndex.Cs,
        Register.SS => SegmentIndex.Ss,
        _ => SegmentIndex.Ds,
    };

    /// <summary>Byte offset in the register file for general registers, else the register's number.</summary>
    private static byte RegisterNumber(Register register)
    {
        if (register.IsGPR8())
        {
            // AH, CH, DH, BH are the second bytes of the first four registers.
            if (register is >= Register.AH and <= Register.BH) return (byte)((register - Register.AH) * 8 + 1);
            return register >= Register.SPL ? (byte)((register - Register.SPL + 4) * 8) : (byte)((register - Register.AL) * 8);
        }
        if (register.IsGPR()) return (byte)(register.GetNumber() * 8);
        return (byte)register.GetNumber();
    }
}
