using Iced.Intel;
using Introspection.Atomics;
using Introspection.Origins;
using Introspection.State;

namespace Introspection.Locks.History;

/// <summary>What an instruction that is about to be executed will do to memory.</summary>
/// <param name="Address">Linear.</param>
/// <param name="SizeBytes">1 to 8.</param>
/// <param name="Value">What will be there behind it.</param>
internal readonly record struct MemoryAccess(ulong Address, int SizeBytes, ulong Value)
{
    /// <summary>Null: its access cannot be told before, or it has none.</summary>
    public static MemoryAccess? Foresee(in GuestView view, in Instruction i, AtomicKind kind)
    {
        int operand = 0;
        while (operand < i.OpCount && i.GetOpKind(operand) != OpKind.Memory) operand++;
        if (operand == i.OpCount) return null;
        OperandSource memory = OperandSource.Of(i, operand, view);
        if (memory.Range is not { } range || memory.SizeBytes is not (1 or 2 or 4 or 8)) return null;
        int bits = 8 * memory.SizeBytes;
        ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1, old = (ulong)memory.Value & mask;
        ulong other = (i.OpCount > 1 ? (ulong)OperandSource.Of(i, 1 - operand, view).Value : 1) & mask;
        ulong? value = kind switch
        {
            AtomicKind.Load => old,
            AtomicKind.CompareExchange => (view.Vcpu.State.Rax & mask) == old ? other : old,
            AtomicKind.Exchange or AtomicKind.Store => other,
            AtomicKind.ExchangeAdd => old + other,
            _ => Updated(i.Mnemonic, old, other, bits),
        };
        return value is { } known ? new MemoryAccess(range.Linear, memory.SizeBytes, known & mask) : null;
    }

    private static ulong? Updated(Mnemonic mnemonic, ulong old, ulong other, int bits) => mnemonic switch
    {
        Mnemonic.Add => old + other,
        Mnemonic.Sub => old - other,
        Mnemonic.Inc => old + 1,
        Mnemonic.Dec => old - 1,
        Mnemonic.Or => old | other,
        Mnemonic.And => old & other,
        Mnemonic.Xor => old ^ other,
        Mnemonic.Neg => 0 - old,
        Mnemonic.Not => ~old,
        // With a number; by a register the bit may be in another word.
        Mnemonic.Bts => old | 1UL << (int)(other % (ulong)bits),
        Mnemonic.Btr => old & ~(1UL << (int)(other % (ulong)bits)),
        Mnemonic.Btc => old ^ 1UL << (int)(other % (ulong)bits),
        _ => null,
    };
}
