using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Reads arguments and results, by the prototype or as registers. May be used by several threads: types are read by one at a time.</summary>
public sealed class CallValueReader
{
    /// <summary>How much of a large argument is read.</summary>
    public const int MaximumBytes = 256;
    /// <summary>How many registers or words are shown of a function without a prototype.</summary>
    private const int RawCount = 6;
    private const int MaximumParameters = 64;
    private static readonly (string Name, int Number)[] s_systemV = [("rdi", 7), ("rsi", 6), ("rdx", 2), ("rcx", 1), ("r8", 8), ("r9", 9)];
    private static readonly (string Name, int Number)[] s_regparm = [("eax", 0), ("edx", 2), ("ecx", 1)];

    private readonly CallingConvention _convention;
    private readonly ICallValueText _text;
    private readonly Lock _gate = new();
    private readonly Dictionary<(FunctionType, CallingConvention), CallLayout> _layouts = [];

    public CallValueReader(CallingConvention convention, ICallValueText text) => (_convention, _text) = (convention, text);

    /// <summary>The arguments, at the function's first instruction.</summary>
    public IReadOnlyList<CallValue> Arguments(CallTarget target, CallRegisters registers, ICallMemory memory)
    {
        lock (_gate)
        {
            if (target.Prototype is not { } prototype) return Raw(registers, memory);
            CallLayout layout = LayoutOf(prototype, registers);
            var values = new List<CallValue>();
            for (int i = 0; i < Math.Min(layout.Parameters.Count, MaximumParameters); i++)
            {
                FunctionParameter parameter = prototype.Parameters[i];
                values.Add(Value(parameter.Name ?? $"arg{i}", parameter.Type, layout.Parameters[i], registers, memory, registers.Stack));
            }
            return values;
        }
    }

    /// <summary>The result, right behind the return; null: it has none.</summary>
    public CallValue? Result(CallTarget target, CallRegisters registers, ICallMemory memory)
    {
        lock (_gate)
        {
            if (target.Prototype is not { } prototype) return Word("ret", registers.General(0));
            CallLayout layout = LayoutOf(prototype, registers);
            return layout.Result is { } place ? Value("ret", prototype.Result, place, registers, memory, 0) : null;
        }
    }

    /// <summary>Asks a condition, by one thread at a time as conditions may ask about types.</summary>
    public bool Holds(ICallCondition condition, in CallFacts facts)
    {
        lock (_gate) return condition.Holds(facts);
    }

    /// <summary>A little-endian number of up to 8 bytes, as 64 bits.</summary>
    internal static ulong Extended(ReadOnlySpan<byte> bytes, bool isSigned)
    {
        int count = Math.Min(bytes.Length, 8);
        ulong value = 0;
        for (int i = count - 1; i >= 0; i--) value = value << 8 | bytes[i];
        int unused = 64 - 8 * count;
        return isSigned && count is > 0 and < 8 ? (ulong)((long)(value << unused) >> unused) : value;
    }

    private CallLayout LayoutOf(FunctionType prototype, CallRegisters registers)
    {
        CallingConvention convention = ConventionOf(registers);
        if (!_layouts.TryGetValue((prototype, convention), out CallLayout? layout)) _layouts[(prototype, convention)] = layout = CallLayout.Of(prototype, convention);
        return layout;
    }

    private CallingConvention ConventionOf(CallRegisters registers)
    {
        if (_convention != CallingConvention.Automatic) return _convention;
        return registers.CodeSize == 64 ? CallingConvention.SystemV64 : CallingConvention.Cdecl32;
    }

    private List<CallValue> Raw(CallRegisters registers, ICallMemory memory)
    {
        CallingConvention convention = ConventionOf(registers);
        var values = new List<CallValue>();
        (string Name, int Number)[] named = convention switch { CallingConvention.SystemV64 => s_systemV, CallingConvention.Regparm32 => s_regparm, _ => [] };
        foreach ((string name, int number) in named) values.Add(Word(name, registers.General(number)));
        Span<byte> bytes = stackalloc byte[8];
        for (int i = 0; values.Count < RawCount; i++)
        {
            Span<byte> word = bytes[..registers.WordBytes];
            int offset = registers.WordBytes * (1 + i);
            bool isRead = memory.Read(registers.Stack + (ulong)offset, word) == word.Length;
            string name = $"[{(registers.CodeSize == 64 ? "rsp" : "esp")}+{offset}]";
            values.Add(isRead ? Word(name, Extended(word, false)) : new CallValue(name, null, null, "?"));
        }
        return values;
    }

    private CallValue Word(string name, ulong value) => new(name, null, value, _text.TextOfWord(value));

    private CallValue Value(string name, DebugType type, ValuePlace place, CallRegisters registers, ICallMemory memory, ulong slot)
    {
        byte[] bytes = Bytes(type, place, registers, memory, slot);
        DebugType stripped = type.Stripped;
        // The x87's register holds a float or a double in its own format.
        bool isX87 = place is { IsIndirect: false, Parts: [{ Kind: PartKind.X87 }] };
        if (isX87) return new CallValue(name, type, null, Text.FloatText.Of(registers.X87Top));
        bool isNumber = stripped is BaseType { SizeBytes: <= 8, Encoding: not (BaseEncoding.Float or BaseEncoding.ComplexFloat) } or EnumerationType or PointerType;
        bool isSigned = stripped is BaseType { IsSigned: true } or EnumerationType { IsSigned: true };
        bool isWhole = (ulong)bytes.Length >= (stripped.SizeBytes ?? 1);
        return new CallValue(name, type, isNumber && isWhole ? Extended(bytes, isSigned) : null, _text.TextOf(type, bytes, memory)) { Bytes = bytes };
    }

    private static byte[] Bytes(DebugType type, ValuePlace place, CallRegisters registers, ICallMemory memory, ulong slot)
    {
        int size = (int)Math.Min(type.SizeBytes ?? (ulong)registers.WordBytes, MaximumBytes);
        var bytes = new byte[size];
        if (place.IsIndirect)
        {
            int read = place.Parts is [{ Kind: PartKind.General, Number: var register }, ..] ? memory.Read(registers.General(register), bytes) : 0;
            return bytes[..read];
        }
        int done = 0;
        Span<byte> word = stackalloc byte[8];
        foreach (ValuePart part in place.Parts)
        {
            Span<byte> target = bytes.AsSpan(done, Math.Min(part.SizeBytes, size - done));
            if (part.Kind == PartKind.Stack)
            {
                int read = memory.Read(slot + (ulong)part.Number, target);
                if (read < target.Length) return bytes[..(done + read)];
            }
            else
            {
                BinaryPrimitives.WriteUInt64LittleEndian(word, part.Kind == PartKind.Xmm ? registers.Xmm(part.Number / 2, part.Number % 2) : registers.General(part.Number));
                word[..Math.Min(target.Length, 8)].CopyTo(target);
            }
            done += target.Length;
        }
        return bytes[..done];
    }
}
