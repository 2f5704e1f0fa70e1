using System;
using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Sums of absolute differences and the horizontal minimum: element by element.

internal readonly struct Psadbw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<byte> difference = Vector128.Max(a, b) - Vector128.Min(a, b);
        ulong low = 0, high = 0;
        for (int i = 0; i < 8; i++)
        {
            low += difference.GetElement(i);
            high += difference.GetElement(i + 8);
        }

        return Vector128.Create(low, high).AsByte();
    }
}

/// <summary>Immediate bits 0..1 choose the four source bytes (times 4), bit 2 where those of the destination start (times 4).</summary>
internal readonly struct Mpsadbw : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        int sourceStart = (immediate & 3) * 4, destinationStart = (immediate & 4) != 0 ? 4 : 0;
        Vector128<ushort> result = default;
        for (int i = 0; i < 8; i++)
        {
            int sum = 0;
            for (int j = 0; j < 4; j++)
                sum += Math.Abs(a.GetElement(destinationStart + i + j) - b.GetElement(sourceStart + j));
            result = result.WithElement(i, (ushort)sum);
        }

        return result.AsByte();
    }
}

/// <summary>The least word of the source, and the lowest index where it is.</summary>
internal readonly struct Phminposuw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<ushort> words = b.AsUInt16();
        int index = 0;
        for (int i = 1; i < 8; i++)
        {
            if (words.GetElement(i) < words.GetElement(index)) index = i;
        }

        return Vector128.CreateScalar((uint)(words.GetElement(index) | index << 16)).AsByte();
    }
}
