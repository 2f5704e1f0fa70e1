using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>PEXTRx, PINSRx, EXTRACTPS, INSERTPS, and blends by the mask in XMM0.</summary>
internal static class SseElement
{
    /// <summary>PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: to memory as it is, to a register zero-extended to 64 bits.</summary>
    public static Completion Extract<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        T element = Element<T>(vcpu, d.Source, in d);
        if (d.HasMemory) return SseMove.Ended(SseOperand.TryWriteMemory(vcpu, in d, element));
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        ulong extended = 0;
        Unsafe.As<ulong, T>(ref extended) = element;
        vcpu.State.Register<ulong>(d.Destination) = extended;
        return Completion.Next;
    }

    /// <summary>PINSRB, PINSRW, PINSRD, PINSRQ.</summary>
    public static Completion Insert<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (!SseOperand.TryReadGeneral(vcpu, in d, out T source)) return Completion.Fault;
        Element<T>(vcpu, d.Destination, in d) = source;
        return Completion.Next;
    }

    /// <summary>Immediate bits 6..7 choose the source element (of a register), 4..5 the destination's, 0..3 elements to zero.</summary>
    public static Completion Insertps(Vcpu vcpu, in DecodedInstruction d)
    {
        int control = (int)d.Immediate;
        uint element;
        if (d.HasMemory)
        {
            if (!SseOperand.TryReadMemory(vcpu, in d, out element)) return Completion.Fault;
        }
        else
        {
            if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
            element = vcpu.State.XmmAs<uint>(d.Source).GetElement(control >> 6 & 3);
        }

        Vector128<uint> result = vcpu.State.XmmAs<uint>(d.Destination).WithElement(control >> 4 & 3, element);
        for (int i = 0; i < 4; i++)
        {
            if ((control >> i & 1) != 0) result = result.WithElement(i, 0u);
        }

        vcpu.State.XmmAs<uint>(d.Destination) = result;
        return Completion.Next;
    }

    /// <summary>PBLENDVB (sbyte), BLENDVPS (int), BLENDVPD (long): source elements where XMM0's sign bit is set.</summary>
    public static Completion BlendByMask<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        Vector128<byte> mask = Vector128.LessThan(vcpu.State.XmmAs<T>(0), Vector128<T>.Zero).AsByte();
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = Vector128.ConditionalSelect(mask, source, destination);
        return Completion.Next;
    }

    /// <summary>The element that the immediate names, modulo their number.</summary>
    private static ref T Element<T>(Vcpu vcpu, int register, in DecodedInstruction d)
        where T : unmanaged
    {
        int index = (int)d.Immediate & ((16 / Unsafe.SizeOf<T>()) - 1);
        return ref Unsafe.Add(ref Unsafe.As<Vector128<byte>, T>(ref vcpu.State.XmmAs<byte>(register)), index);
    }
}
