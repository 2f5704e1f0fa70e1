using System.Collections.Generic;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>System V ABI, i386 supplement, 2.2.3, and GCC's regparm. Made for one prototype.</summary>
/// <param name="registerCount">How many registers pass arguments: 3 of EAX, EDX, ECX, or 0.</param>
internal sealed class I386Layout(int registerCount)
{
    private const int Word = 4, Eax = 0, Edx = 2;
    private static readonly int[] s_general = [0, 2, 1];

    private int _nextGeneral;
    private ulong _stack;

    public CallLayout Of(FunctionType prototype)
    {
        ValuePlace? result = ResultOf(prototype.Result);
        // The caller says where to put a structure, as if by a first argument.
        if (result is { IsIndirect: true }) _ = PlaceOf(Word, mayBeInRegisters: true);
        var parameters = new List<ValuePlace>();
        foreach (FunctionParameter parameter in prototype.Parameters)
        {
            bool isFloat = parameter.Type.Stripped is BaseType { Encoding: BaseEncoding.Float or BaseEncoding.ComplexFloat };
            parameters.Add(PlaceOf(parameter.Type.SizeBytes ?? Word, !isFloat));
        }
        return new CallLayout(parameters, result);
    }

    private static ValuePlace? ResultOf(DebugType type)
    {
        switch (type.Stripped)
        {
            case VoidType: return null;
            case BaseType { Encoding: BaseEncoding.Float }: return new ValuePlace([new ValuePart(PartKind.X87, 0, 10)]);
            case RecordType or ArrayType: return new ValuePlace([new ValuePart(PartKind.General, Eax, Word)], IsIndirect: true);
        }
        ulong size = type.SizeBytes ?? Word;
        if (size > 2 * Word) return new ValuePlace([new ValuePart(PartKind.General, Eax, Word)], IsIndirect: true);
        var low = new ValuePart(PartKind.General, Eax, Word);
        return new ValuePlace(size > Word ? [low, new ValuePart(PartKind.General, Edx, Word)] : [low]);
    }

    private ValuePlace PlaceOf(ulong sizeBytes, bool mayBeInRegisters)
    {
        ulong words = (sizeBytes + Word - 1) / Word;
        if (mayBeInRegisters && _nextGeneral < registerCount)
        {
            int first = _nextGeneral;
            // What does not fit whole is on the stack, and takes the registers that were left with it.
            _nextGeneral = words > (ulong)(registerCount - first) ? registerCount : first + (int)words;
            if (words <= (ulong)(registerCount - first))
            {
                var parts = new List<ValuePart>();
                for (int i = first; i < _nextGeneral; i++) parts.Add(new ValuePart(PartKind.General, s_general[i], Word));
                return new ValuePlace(parts);
            }
        }
        // Where it would lie beyond all sense, nothing is read.
        if (_stack + sizeBytes > int.MaxValue / 2) return new ValuePlace([]);
        var part = new ValuePart(PartKind.Stack, Word + (int)_stack, (int)sizeBytes);
        _stack += words * Word;
        return new ValuePlace([part]);
    }
}
