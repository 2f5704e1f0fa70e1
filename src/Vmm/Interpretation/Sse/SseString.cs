using System;
using System.Numerics;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 2B 4.1).</summary>
internal static class SseString
{
    public static Completion Pcmpistri(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: false, wide: false, index: true);

    public static Completion Pcmpistrm(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: false, wide: false, index: false);

    public static Completion Pcmpestri(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: true, wide: false, index: true);

    public static Completion Pcmpestrm(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: true, wide: false, index: false);

    /// <summary>With REX.W the lengths are RAX and RDX.</summary>
    public static Completion Pcmpestri64(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: true, wide: true, index: true);

    public static Completion Pcmpestrm64(Vcpu vcpu, in DecodedInstruction d) =>
        Compare(vcpu, in d, explicitLengths: true, wide: true, index: false);

    private static Completion Compare(Vcpu vcpu, in DecodedInstruction d, bool explicitLengths, bool wide, bool index)
    {
        if (!SseOperand.TryReadVectorUnaligned(vcpu, in d, out Vector128<byte> second)) return Completion.Fault;
        Vector128<byte> first = vcpu.State.XmmAs<byte>(d.Destination);
        int control = (int)d.Immediate;
        int count = (control & 1) != 0 ? 8 : 16;
        int firstLength = explicitLengths ? ExplicitLength(vcpu.State.Rax, wide, count) : ImplicitLength(first, count);
        int secondLength = explicitLengths ? ExplicitLength(vcpu.State.Rdx, wide, count) : ImplicitLength(second, count);

        uint matches = (control >> 2 & 3) switch
        {
            0 => EqualAny(first, second, firstLength, secondLength, control),
            1 => Ranges(first, second, firstLength, secondLength, control),
            2 => EqualEach(first, second, firstLength, secondLength, control),
            _ => EqualOrdered(first, second, firstLength, secondLength, control),
        };
        uint all = (1u << count) - 1;
        // Polarity (bits 4..5): 1 inverts all, 3 only what is within the second operand's length.
        if ((control & 0x10) != 0) matches ^= (control & 0x20) != 0 ? (1u << secondLength) - 1 : all;

        if (index)
        {
            int found = (control & 0x40) != 0 ? BitOperations.Log2(matches) : BitOperations.TrailingZeroCount(matches);
            vcpu.State.Rcx = (ulong)(matches == 0 ? count : found);
        }
        else
        {
            vcpu.State.XmmAs<byte>(0) = (control & 0x40) != 0 ? Expand(matches, count) : Vector128.CreateScalar(matches).AsByte();
        }

        vcpu.State.SetArithmeticFlags(
            cf: matches != 0,
            pf: false,
            af: false,
            zf: secondLength < count,
            sf: firstLength < count,
            of: (matches & 1) != 0);
        return Completion.Next;
    }

    /// <summary>The magnitude of a signed length, at most all elements.</summary>
    private static int ExplicitLength(ulong register, bool wide, int count)
    {
        long length = wide ? (long)register : (int)register;
        ulong magnitude = length < 0 ? 0 - (ulong)length : (ulong)length;
        return (int)Math.Min(magnitude, (ulong)count);
    }

    /// <summary>Elements before the first zero.</summary>
    private static int ImplicitLength(Vector128<byte> vector, int count)
    {
        uint zeros = count == 16
            ? Vector128.Equals(vector, default).ExtractMostSignificantBits()
            : Vector128.Equals(vector.AsUInt16(), default).ExtractMostSignificantBits();
        return zeros == 0 ? count : BitOperations.TrailingZeroCount(zeros);
    }

    /// <summary>Element by the source data format: bit 0 words instead of bytes, bit 1 signed.</summary>
    private static int Element(Vector128<byte> vector, int index, int control) => (control & 3) switch
    {
        0 => vector.GetElement(index),
        1 => vector.AsUInt16().GetElement(index),
        2 => vector.AsSByte().GetElement(index),
        _ => vector.AsInt16().GetElement(index),
    };

    private static uint EqualAny(Vector128<byte> first, Vector128<byte> second, int firstLength, int secondLength, int control)
    {
        uint matches = 0;
        for (int j = 0; j < secondLength; j++)
        {
            for (int i = 0; i < firstLength; i++)
            {
                if (Element(first, i, control) == Element(second, j, control)) matches |= 1u << j;
            }
        }

        return matches;
    }

    /// <summary>The first operand is pairs of bounds; a pair cut off by its length matches nothing.</summary>
    private static uint Ranges(Vector128<byte> first, Vector128<byte> second, int firstLength, int secondLength, int control)
    {
        uint matches = 0;
        for (int j = 0; j < secondLength; j++)
        {
            int element = Element(second, j, control);
            for (int i = 0; i + 1 < firstLength; i += 2)
            {
                if (Element(first, i, control) <= element && element <= Element(first, i + 1, control)) matches |= 1u << j;
            }
        }

        return matches;
    }

    /// <summary>Elements past both ends are equal, past one end unequal.</summary>
    private static uint EqualEach(Vector128<byte> first, Vector128<byte> second, int firstLength, int secondLength, int control)
    {
        int count = (control & 1) != 0 ? 8 : 16;
        uint matches = 0;
        for (int i = 0; i < count; i++)
        {
            bool firstValid = i < firstLength, secondValid = i < secondLength;
            bool equal = firstValid && secondValid ? Element(first, i, control) == Element(second, i, control) : firstValid == secondValid;
            if (equal) matches |= 1u << i;
        }

        return matches;
    }

    /// <summary>Where the first operand occurs in the second; an occurrence that runs over the end counts as far as it goes.</summary>
    private static uint EqualOrdered(Vector128<byte> first, Vector128<byte> second, int firstLength, int secondLength, int control)
    {
        int count = (control & 1) != 0 ? 8 : 16;
        uint matches = 0;
        for (int j = 0; j < count; j++)
        {
            bool equal = true;
            for (int i = 0; equal && i < firstLength && i + j < count; i++)
                equal = i + j < secondLength && Element(first, i, control) == Element(second, i + j, control);
            if (equal) matches |= 1u << j;
        }

        return matches;
    }

    private static Vector128<byte> Expand(uint matches, int count)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < count; i++)
        {
            if ((matches >> i & 1) == 0) continue;
            result = count == 16 ? result.WithElement(i, (byte)0xFF) : result.AsUInt16().WithElement(i, ushort.MaxValue).AsByte();
        }

        return result;
    }
}
