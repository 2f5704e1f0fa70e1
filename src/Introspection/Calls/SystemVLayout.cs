using System.Collections.Generic;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>System V ABI, AMD64 supplement, 3.2.3. Made for one prototype.</summary>
internal sealed class SystemVLayout
{
    private const int Word = 8, SseCount = 8;
    private const int Rax = 0, Rdx = 2;
    // RDI, RSI, RDX, RCX, R8, R9.
    private static readonly int[] s_general = [7, 6, 2, 1, 8, 9];

    private int _nextGeneral, _nextSse;
    private ulong _stack;

    public CallLayout Of(FunctionType prototype)
    {
        ValuePlace? result = ResultOf(prototype.Result);
        // The caller says where to put a large result.
        if (result is { IsIndirect: true }) _nextGeneral++;
        var parameters = new List<ValuePlace>();
        foreach (FunctionParameter parameter in prototype.Parameters) parameters.Add(PlaceOf(parameter.Type));
        return new CallLayout(parameters, result);
    }

    private static ValuePlace? ResultOf(DebugType type)
    {
        if (type.Stripped is VoidType) return null;
        EightbyteClasses classes = EightbyteClasses.Of(type);
        if (classes.IsMemory) return new ValuePlace([new ValuePart(PartKind.General, Rax, Word)], IsIndirect: true);
        if (classes.First == EightbyteClass.X87) return new ValuePlace([new ValuePart(PartKind.X87, 0, 10)]);
        int general = 0, sse = 0;
        var parts = new List<ValuePart>();
        foreach (EightbyteClass one in (EightbyteClass[])[classes.First, classes.Second])
        {
            if (one == EightbyteClass.Integer) parts.Add(new ValuePart(PartKind.General, general++ == 0 ? Rax : Rdx, Word));
            else if (one == EightbyteClass.Sse) parts.Add(new ValuePart(PartKind.Xmm, 2 * sse++, Word));
            else if (one == EightbyteClass.SseUp) parts.Add(new ValuePart(PartKind.Xmm, 2 * sse - 1, Word));
        }
        return new ValuePlace(parts);
    }

    private ValuePlace PlaceOf(DebugType type)
    {
        EightbyteClasses classes = EightbyteClasses.Of(type);
        int general = 0, sse = 0;
        foreach (EightbyteClass one in (EightbyteClass[])[classes.First, classes.Second])
        {
            if (one == EightbyteClass.Integer) general++;
            if (one == EightbyteClass.Sse) sse++;
        }
        // All of it is in registers, or nothing.
        if (classes.IsMemory || classes.First == EightbyteClass.X87 || _nextGeneral + general > s_general.Length || _nextSse + sse > SseCount) return OnStack(type);
        var parts = new List<ValuePart>();
        foreach (EightbyteClass one in (EightbyteClass[])[classes.First, classes.Second])
        {
            if (one == EightbyteClass.Integer) parts.Add(new ValuePart(PartKind.General, s_general[_nextGeneral++], Word));
            else if (one == EightbyteClass.Sse) parts.Add(new ValuePart(PartKind.Xmm, 2 * _nextSse++, Word));
            else if (one == EightbyteClass.SseUp) parts.Add(new ValuePart(PartKind.Xmm, 2 * _nextSse - 1, Word));
        }
        return new ValuePlace(parts);
    }

    private ValuePlace OnStack(DebugType type)
    {
        ulong size = type.SizeBytes ?? Word;
        if (EightbyteClasses.Alignment(type, 0) > Word) _stack = (_stack + 15) & ~15UL;
        // Where it would lie beyond all sense, nothing is read.
        if (_stack + size > int.MaxValue / 2) return new ValuePlace([]);
        var part = new ValuePart(PartKind.Stack, Word + (int)_stack, (int)size);
        _stack += (size + Word - 1) & ~(ulong)(Word - 1);
        return new ValuePlace([part]);
    }
}
