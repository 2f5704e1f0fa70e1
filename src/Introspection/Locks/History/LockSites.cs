using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Atomics;
using Introspection.Code;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.Values;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Variables;
using Symbols.Variables;

namespace Introspection.Locks.History;

/// <summary>
/// The instructions by which inlined copies of a lock's functions access its words. A lock without a place of its own cannot be watched before it is known; a breakpoint at such an
/// instruction sees the access, and which lock it is of. An instruction counts if, by the debug information, its operand is the lock that the copy was given: both are worked out with the
/// same made-up registers, and have to be the same twice.
/// </summary>
internal sealed class LockSites(SymbolSet symbols, Disassembler disassembler)
{
    private const int MaximumSites = 4096, MaximumCopyBytes = 64 << 10;

    private readonly Dictionary<ulong, LockWord> _words = [];

    /// <summary>The word of a lock at address 0 that is accessed, by the instruction's address.</summary>
    public IReadOnlyDictionary<ulong, LockWord> Words => _words;

    /// <summary>Finds them for one type.</summary>
    /// <param name="type">How its functions are called.</param>
    /// <param name="words">Of a lock of the type at address 0.</param>
    /// <param name="isOutOfLine">An instruction is in one of the functions themselves, whose calls are seen anyway.</param>
    /// <returns>Inlined copies whose lock the debug information does not tell, and all.</returns>
    public (int Unknown, int All) Add(LockType type, IReadOnlyList<LockWord> words, Func<ulong, bool> isOutOfLine)
    {
        int unknown = 0, all = 0;
        foreach (LockFunctions functions in (IEnumerable<LockFunctions>)[.. type.Acquire ?? [], .. type.Release ?? []])
        {
            foreach (string name in functions.Functions)
            {
                foreach (LoadedFile file in symbols.Files)
                {
                    foreach (DebugFunction function in file.Dwarf.FunctionsWithCopiesOf(name))
                    {
                        foreach (InlinedCall call in CopiesIn(function.Calls, name))
                        {
                            if (isOutOfLine(function.EntryPc + file.Bias)) continue;
                            all++;
                            if (!TryAdd(file, call, functions, words)) unknown++;
                        }
                    }
                }
            }
        }
        return (unknown, all);
    }

    private static IEnumerable<InlinedCall> CopiesIn(IReadOnlyList<InlinedCall> calls, string name)
    {
        foreach (InlinedCall call in calls)
        {
            if (call.Name == name || call.LinkageName == name) yield return call;
            else foreach (InlinedCall inner in CopiesIn(call.Calls, name)) yield return inner;
        }
    }

    // True: at least one access is the lock's, as a copy in which there is none would be of no use.
    private bool TryAdd(LoadedFile file, InlinedCall call, LockFunctions functions, IReadOnlyList<LockWord> words)
    {
        bool isFound = false;
        foreach (Symbols.AddressRange range in call.Ranges)
        {
            if (range.End - range.Start > MaximumCopyBytes) continue;
            for (ulong at = range.Start + file.Bias; at < range.End + file.Bias;)
            {
                Instruction i = disassembler.Decode(at);
                if (i.IsInvalid) break;
                at = i.NextIP;
                int operand = MemoryOperandOf(i);
                if (operand < 0 || _words.Count >= MaximumSites) continue;
                foreach (LockWord word in words)
                {
                    if (i.MemorySize.GetSize() > word.SizeBytes || !IsOf(file, call, functions, i, operand, word)) continue;
                    _words[i.IP] = word;
                    isFound = true;
                    break;
                }
            }
        }
        return isFound;
    }

    private static int MemoryOperandOf(in Instruction i)
    {
        if (i.Mnemonic is Mnemonic.Lea or Mnemonic.Nop || i.IsStackInstruction || i.IsStringInstruction || i.FlowControl != FlowControl.Next) return -1;
        for (int operand = 0; operand < i.OpCount; operand++)
            if (i.GetOpKind(operand) == OpKind.Memory && i.SegmentPrefix == Register.None) return operand;
        return -1;
    }

    private static bool IsOf(LoadedFile file, InlinedCall call, LockFunctions functions, in Instruction i, int operand, LockWord word)
    {
        if (LockArgument.NumberOf(functions.Lock) is not { } argument || ParameterOf(file, call, argument, i.IP - file.Bias) is not { } parameter) return false;
        for (ulong seed = 1; seed <= 2; seed++)
        {
            var made = new MadeUpRegisters(seed, file.Bias, i.IP - file.Bias);
            if (made.ValueOf(parameter.Locate(made)) is not { } address || !i.TryGetVirtualAddress(operand, 0, out ulong accessed, made.TryGet)) return false;
            // A part of the word, as the byte of a writer, is of the word too.
            ulong offset = accessed - (address + (ulong)(functions.Offset ?? 0)) - word.Address;
            if (offset > (ulong)(word.SizeBytes - i.MemorySize.GetSize())) return false;
        }
        return true;
    }

    private static DebugVariable? ParameterOf(LoadedFile file, InlinedCall call, int argument, ulong pc)
    {
        foreach (SourceFrame frame in file.Dwarf.FramesAt(pc))
        {
            if (frame.Call?.IsSame(call) != true) continue;
            foreach (DebugVariable variable in file.Dwarf.VariablesOf(frame, pc))
                if (variable.IsParameter && argument-- == 0) return variable;
        }
        return null;
    }

    // Numbers that no two registers share, so that only what is computed in the same way is the same.
    private sealed class MadeUpRegisters(ulong seed, ulong bias, ulong pc) : ILocationContext
    {
        public ulong Pc => pc;

        public ulong Bias => bias;

        public ulong? ValueOf(ValueLocation location)
        {
            if (location.Pieces is not [{ BitOffset: 0 } piece]) return null;
            if (piece.Kind == PieceKind.Register) return TryReadRegister((int)piece.Number, out ulong value) ? value : null;
            if (piece.Kind != PieceKind.Implicit || piece.Bytes.Length > sizeof(ulong)) return null;
            ulong number = 0;
            for (int i = piece.Bytes.Length - 1; i >= 0; i--) number = number << 8 | piece.Bytes.Span[i];
            return number;
        }

        public bool TryGet(Register register, int element, int elementSize, out ulong value)
        {
            value = 0;
            if (register is Register.DS or Register.SS or Register.CS or Register.ES) return true;
            for (int number = 0; number < 16; number++)
                if (string.Equals(DwarfRegisters.NameOf(number, is64: true), register.ToString(), StringComparison.OrdinalIgnoreCase)) return TryReadRegister(number, out value);
            return false;
        }

        public bool TryReadRegister(int register, out ulong value)
        {
            value = (seed << 32 | (uint)register + 1) * 0x9E3779B97F4A7C15;
            return (uint)register < 16;
        }

        public bool TryReadMemory(ulong address, int sizeBytes, out ulong value) => (value = 0) != 0;

        public bool TryCfa(out ulong cfa) => (cfa = 0) != 0;

        public bool TryEntryRegister(int register, out ulong value) => (value = 0) != 0;

        public bool TryThreadLocal(ulong offset, out ulong address) => (address = 0) != 0;
    }
}
