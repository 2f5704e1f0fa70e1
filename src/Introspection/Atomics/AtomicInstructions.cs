using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Origins;
using Introspection.State;

namespace Introspection.Atomics;

/// <summary>What instructions do with the word in memory that they access, by their operands; each is decoded once while its bytes are the same.</summary>
internal sealed class AtomicInstructions
{
    private const int MaximumDecoded = 4096, LongestInstruction = 15, PackedBytes = 16;

    private readonly record struct Decoded(UInt128 Bytes, int CodeSize, Instruction Instruction, AtomicKind Kind);

    private readonly Dictionary<ulong, Decoded> _decoded = [];
    private readonly InstructionInfoFactory _information = new();

    /// <summary>The instruction at a linear address, and its kind: <see cref="AtomicKind.Load"/> also where it is none.</summary>
    public AtomicKind Decode(in GuestView view, ulong code, out Instruction instruction)
    {
        Span<byte> bytes = stackalloc byte[PackedBytes];
        bytes.Clear();
        int count = view.Read(code, bytes[..LongestInstruction]), codeSize = view.CodeSize;
        UInt128 packed = BinaryPrimitives.ReadUInt128LittleEndian(bytes);
        if (!_decoded.TryGetValue(code, out Decoded known) || known.Bytes != packed || known.CodeSize != codeSize)
        {
            Instruction read = InstructionReader.Decode(bytes[..count], code, codeSize);
            if (_decoded.Count >= MaximumDecoded) _decoded.Clear();
            _decoded[code] = known = new Decoded(packed, codeSize, read, KindOf(read));
        }
        instruction = known.Instruction;
        return known.Kind;
    }

    private AtomicKind KindOf(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Cmpxchg or Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b: return AtomicKind.CompareExchange;
            case Mnemonic.Xchg: return AtomicKind.Exchange;
            case Mnemonic.Xadd: return AtomicKind.ExchangeAdd;
        }
        if (instruction.IsInvalid) return AtomicKind.Load;
        InstructionInfo info = _information.GetInfo(instruction);
        bool reads = false, writes = false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) != OpKind.Memory) continue;
            OpAccess access = info.GetOpAccess(i);
            if (access is OpAccess.ReadWrite or OpAccess.ReadCondWrite) return AtomicKind.Update;
            reads |= access is OpAccess.Read or OpAccess.CondRead;
            writes |= access is OpAccess.Write or OpAccess.CondWrite;
        }
        return writes && !reads ? AtomicKind.Store : AtomicKind.Load;
    }
}
