using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>An instruction of the host comparison: its encodings, what operands suit it, and how exactly the results must agree.</summary>
internal sealed class InstructionFamily
{
    public required string Name { get; init; }
    public required byte[][] Encodings { get; init; }
    public Func<OperandSource, Float80>? First { get; init; }
    public Func<OperandSource, Float80>? Second { get; init; }
    /// <summary>Size of the memory operand, and whether it is floating-point.</summary>
    public char MemoryKind { get; init; } = ' ';
    public bool Pushes { get; init; }
    /// <summary>Operands in MMX and XMM registers instead.</summary>
    public bool IsMmx { get; init; }
    /// <summary>Transcendental: results within one unit in the last place, C1 not compared.</summary>
    public bool IsApproximate { get; init; }
    /// <summary>How much of memory is compared: environments hold pointers that differ.</summary>
    public int ComparedMemory { get; init; } = 32;
    /// <summary>Status bits that the SDM leaves undefined or where the host departs from it: C1 after FCOMI; PE and UE of an exact FYL2X.</summary>
    public int IgnoredStatus { get; init; }

    public static IReadOnlyList<InstructionFamily> All { get; } = Build();

    public static InstructionFamily Named(string name) => All.Single(family => family.Name == name);

    private static List<InstructionFamily> Build()
    {
        List<InstructionFamily> all = [];
        string[] names = ["fadd", "fmul", "fcom", "fcomp", "fsub", "fsubr", "fdiv", "fdivr"];
        for (int i = 0; i < 8; i++)
        {
            byte modRm = (byte)(0xC0 + (8 * i)), memory = (byte)(0x07 + (8 * i));
            all.Add(new() { Name = names[i], Encodings = i is 2 or 3 ? [[0xD8, (byte)(modRm + 1)], [0xD8, (byte)(modRm + 3)]] :
                [[0xD8, (byte)(modRm + 1)], [0xDC, (byte)(modRm + 1)], [0xDE, (byte)(modRm + 1)], [0xD8, modRm]] });
            all.Add(new() { Name = names[i] + "_m32fp", Encodings = [[0xD8, memory]], MemoryKind = 'f' });
            all.Add(new() { Name = names[i] + "_m64fp", Encodings = [[0xDC, memory]], MemoryKind = 'd' });
            all.Add(new() { Name = names[i].Replace("f", "fi", StringComparison.Ordinal) + "_m32int", Encodings = [[0xDA, memory]], MemoryKind = 'i' });
            all.Add(new() { Name = names[i].Replace("f", "fi", StringComparison.Ordinal) + "_m16int", Encodings = [[0xDE, memory]], MemoryKind = 'i' });
        }

        AddSimple(all);
        AddTransfers(all);
        AddTranscendental(all);
        all.AddRange(MmxFamilies.Build());
        return all;
    }

    private static void AddSimple(List<InstructionFamily> all)
    {
        all.Add(new() { Name = "fcompp", Encodings = [[0xDE, 0xD9]] });
        all.Add(new() { Name = "fucom", Encodings = [[0xDD, 0xE1], [0xDD, 0xE9], [0xDA, 0xE9]] });
        all.Add(new() { Name = "fcomi", Encodings = [[0xDB, 0xF1], [0xDF, 0xF1]], IgnoredStatus = 0x0200 });
        all.Add(new() { Name = "fucomi", Encodings = [[0xDB, 0xE9], [0xDF, 0xE9]], IgnoredStatus = 0x0200 });
        all.Add(new() { Name = "fchs", Encodings = [[0xD9, 0xE0]] });
        all.Add(new() { Name = "fabs", Encodings = [[0xD9, 0xE1]] });
        all.Add(new() { Name = "ftst", Encodings = [[0xD9, 0xE4]] });
        all.Add(new() { Name = "fxam", Encodings = [[0xD9, 0xE5]] });
        all.Add(new() { Name = "fsqrt", Encodings = [[0xD9, 0xFA]] });
        all.Add(new() { Name = "frndint", Encodings = [[0xD9, 0xFC]] });
        all.Add(new() { Name = "fscale", Encodings = [[0xD9, 0xFD]], Second = o => o.Below(2) == 0 ? o.Any() : o.Within(17) });
        all.Add(new() { Name = "fxtract", Encodings = [[0xD9, 0xF4]], Pushes = true });
        all.Add(new() { Name = "fprem", Encodings = [[0xD9, 0xF8]] });
        all.Add(new() { Name = "fprem1", Encodings = [[0xD9, 0xF5]] });
        all.Add(new() { Name = "fprem-near", Encodings = [[0xD9, 0xF8], [0xD9, 0xF5]], First = o => o.Within(40), Second = o => o.Within(20) });
        all.Add(new() { Name = "fincstp", Encodings = [[0xD9, 0xF7], [0xD9, 0xF6], [0xD9, 0xD0]] });
        all.Add(new() { Name = "ffree", Encodings = [[0xDD, 0xC1], [0xDF, 0xC1]] });
        all.Add(new() { Name = "fxch", Encodings = [[0xD9, 0xC9], [0xD9, 0xCB]] });
        all.Add(new() { Name = "fcmov", Encodings = [[0xDA, 0xC1], [0xDA, 0xC9], [0xDA, 0xD1], [0xDA, 0xD9],
            [0xDB, 0xC1], [0xDB, 0xC9], [0xDB, 0xD1], [0xDB, 0xD9]] });
        all.Add(new() { Name = "fnstsw", Encodings = [[0xDF, 0xE0], [0xDD, 0x3F], [0xD9, 0x3F]] });
        all.Add(new() { Name = "fninit", Encodings = [[0xDB, 0xE3], [0xDB, 0xE2]] });
        all.Add(new() { Name = "fnstenv", Encodings = [[0xD9, 0x37]], ComparedMemory = 12 });
        all.Add(new() { Name = "fldenv", Encodings = [[0xD9, 0x27]] });
        all.Add(new() { Name = "wait", Encodings = [[0x9B]] });
        all.Add(new() { Name = "fldcw", Encodings = [[0xD9, 0x2F]], MemoryKind = 'w' });
    }

    private static void AddTransfers(List<InstructionFamily> all)
    {
        all.Add(new() { Name = "fldconst", Encodings = [[0xD9, 0xE8], [0xD9, 0xE9], [0xD9, 0xEA], [0xD9, 0xEB], [0xD9, 0xEC], [0xD9, 0xED],
            [0xD9, 0xEE]], Pushes = true });
        all.Add(new() { Name = "fld", Encodings = [[0xD9, 0xC1], [0xD9, 0xC0]], Pushes = true });
        all.Add(new() { Name = "fld_m32fp", Encodings = [[0xD9, 0x07]], MemoryKind = 'f', Pushes = true });
        all.Add(new() { Name = "fld_m64fp", Encodings = [[0xDD, 0x07]], MemoryKind = 'd', Pushes = true });
        all.Add(new() { Name = "fld_m80fp", Encodings = [[0xDB, 0x2F]], MemoryKind = 't', Pushes = true });
        all.Add(new() { Name = "fild", Encodings = [[0xDF, 0x07], [0xDB, 0x07], [0xDF, 0x2F]], MemoryKind = 'i', Pushes = true });
        all.Add(new() { Name = "fbld", Encodings = [[0xDF, 0x27]], MemoryKind = 'b', Pushes = true });
        all.Add(new() { Name = "fst", Encodings = [[0xDD, 0xD1], [0xDD, 0xD9], [0xDD, 0xDB]] });
        all.Add(new() { Name = "fst_m32fp", Encodings = [[0xD9, 0x17], [0xD9, 0x1F]], First = o => Near(o, 150) });
        all.Add(new() { Name = "fst_m64fp", Encodings = [[0xDD, 0x17], [0xDD, 0x1F]], First = o => Near(o, 1080) });
        all.Add(new() { Name = "fstp_m80fp", Encodings = [[0xDB, 0x3F]] });
        all.Add(new() { Name = "fist", Encodings = [[0xDF, 0x17], [0xDF, 0x1F], [0xDB, 0x17], [0xDB, 0x1F], [0xDF, 0x3F]], First = o => Near(o, 66) });
        all.Add(new() { Name = "fisttp", Encodings = [[0xDF, 0x0F], [0xDB, 0x0F], [0xDD, 0x0F]], First = o => Near(o, 66) });
        all.Add(new() { Name = "fbstp", Encodings = [[0xDF, 0x37]], First = o => Near(o, 62) });
    }

    private static void AddTranscendental(List<InstructionFamily> all)
    {
        all.Add(new() { Name = "f2xm1", Encodings = [[0xD9, 0xF0]], IsApproximate = true, First = o => o.Below(8) == 0 ? InUnit(o.Any()) : Small(o, 70) });
        all.Add(new() { Name = "fyl2x", Encodings = [[0xD9, 0xF1]], IsApproximate = true, IgnoredStatus = 0x30, First = o => Positive(o, 100), Second = o => Near(o, 100) });
        all.Add(new() { Name = "fyl2xp1", Encodings = [[0xD9, 0xF9]], IsApproximate = true, First = o => Small(o, 70, 2), Second = o => Near(o, 100) });
        all.Add(new() { Name = "fpatan", Encodings = [[0xD9, 0xF3]], IsApproximate = true, First = o => Near(o, 70), Second = o => Near(o, 70) });
        all.Add(new() { Name = "fsin", Encodings = [[0xD9, 0xFE]], IsApproximate = true, First = o => Near(o, 70) });
        all.Add(new() { Name = "fcos", Encodings = [[0xD9, 0xFF]], IsApproximate = true, First = o => Near(o, 70) });
        all.Add(new() { Name = "fsincos", Encodings = [[0xD9, 0xFB]], IsApproximate = true, First = o => Near(o, 70), Pushes = true });
        all.Add(new() { Name = "fptan", Encodings = [[0xD9, 0xF2]], IsApproximate = true, First = o => Near(o, 70), Pushes = true });
    }

    private static Float80 Near(OperandSource o, int range) => o.Below(4) == 0 ? o.Any() : o.Within(range);

    private static Float80 Positive(OperandSource o, int range) => o.Below(4) == 0 ? o.Any() : o.Within(o.Below(2) == 0 ? 2 : range).Absolute;

    private static Float80 Small(OperandSource o, int range, int below = 1)
    {
        Float80 value = o.Within(range / 2);
        return new Float80(value.IsNegative, 0x3FFF - below - o.Below(range), value.Significand);
    }

    private static Float80 InUnit(Float80 value) => value.Exponent is >= 0x3FFF and < 0x7FFF ? new(0x3FFE, value.Significand) : value;

    /// <summary>Seeded cases.</summary>
    public byte[] Generate(ulong seed, int count)
    {
        byte[] bytes = new byte[count * CaseRecord.SizeBytes];
        OperandSource operands = new(seed * 0x1234_5678_9ABC_DEF1);
        for (int i = 0; i < count; i++)
        {
            CaseRecord record = new(bytes.AsSpan(i * CaseRecord.SizeBytes, CaseRecord.SizeBytes));
            record.SetCode(Encodings[operands.Below(Encodings.Length)]);
            int top = operands.Below(8);
            record.Control = operands.ControlWord(IsApproximate);
            // Condition codes and sticky flags that are masked; now and then a pending exception.
            int flags = operands.Below(16) == 0 ? operands.Below(64) : operands.Below(64) & record.Control & 0x3F & -operands.Below(2);
            record.Status = (ushort)((operands.Next() & 0x4700) | (uint)(top << 11) | (uint)flags);
            record.Tags = operands.Below(16) == 0 ? (byte)operands.Next() : (byte)(Pushes ? ~(1 << ((top + 7) & 7)) : 0xFF);
            for (int j = 0; j < 8; j++) record.SetSt(j, operands.Any());
            if (First != null) record.SetSt(0, First(operands));
            if (Second != null) record.SetSt(1, Second(operands));
            record.Rflags = (operands.Next() & 0x8D5) | 0x202;
            record.Rax = operands.Next();
            record.Mxcsr = 0x1F80;
            FillMemory(record, operands);
            if (IsMmx) MmxFamilies.Fill(record, operands);
        }

        return bytes;
    }

    private void FillMemory(CaseRecord record, OperandSource operands)
    {
        Float80 value = operands.Below(2) == 0 ? operands.Any() : operands.Within(8);
        Float80Context context = new(RoundingMode.Truncate, 64, X87Exceptions.Maskable);
        for (int i = 0; i < 32; i += 8) BitConverter.TryWriteBytes(record.Memory[i..], operands.Next());
        switch (MemoryKind)
        {
            case 'f':
                uint single = operands.Below(4) == 0 ? Pattern32(operands) : Float80Conversions.ToSingle(ref context, value);
                BitConverter.TryWriteBytes(record.Memory, single);
                break;
            case 'd':
                ulong bits = operands.Below(4) == 0 ? Pattern64(operands) : Float80Conversions.ToDouble(ref context, value);
                BitConverter.TryWriteBytes(record.Memory, bits);
                break;
            case 'i':
                if (operands.Below(8) == 0) BitConverter.TryWriteBytes(record.Memory, 0ul);
                else BitConverter.TryWriteBytes(record.Memory, (long)operands.Next() >> operands.Below(63));
                break;
            case 't':
                BitConverter.TryWriteBytes(record.Memory, value.Significand);
                BitConverter.TryWriteBytes(record.Memory[8..], value.SignExponent);
                break;
            case 'b':
                for (int i = 0; i < 9; i++) record.Memory[i] = (byte)((operands.Below(10) << 4) | operands.Below(10));
                break;
        }
    }

    private static uint Pattern32(OperandSource o) => (uint)o.Next() & 0x8000_0000 | o.Below(4) switch
    {
        0 => (uint)o.Next() & 0x7F_FFFF,
        1 => 0x7F80_0000u | ((uint)o.Next() & 0x7F_FFFF),
        2 => 0x7F80_0000u,
        _ => 1,
    };

    private static ulong Pattern64(OperandSource o) => o.Next() & (1ul << 63) | o.Below(4) switch
    {
        0 => o.Next() >> 12,
        1 => 0x7FF0_0000_0000_0000 | (o.Next() >> 12),
        2 => 0x7FF0_0000_0000_0000,
        _ => 1ul,
    };

    /// <summary>Null where they agree, or else a description.</summary>
    public string? Compare(CaseRecord input, CaseRecord host, CaseRecord ours)
    {
        StringBuilder text = new();
        bool hostFault = host.Signal != 0, ourFault = ours.Signal != 0;
        if (hostFault || ourFault)
        {
            if (hostFault == ourFault) return null;
            text.Append($" fault: host {host.Signal}, ours {ours.Signal}");
        }
        else
        {
            int ignored = IgnoredStatus | (IsApproximate ? 0x0200 : 0);
            if (((host.Status ^ ours.Status) & ~ignored) != 0) text.Append($" status: host {host.Status:X4}, ours {ours.Status:X4}");
            if (host.Control != ours.Control) text.Append($" control: host {host.Control:X4}, ours {ours.Control:X4}");
            if (host.Tags != ours.Tags) text.Append($" tags: host {host.Tags:X2}, ours {ours.Tags:X2}");
            for (int i = 0; i < 8; i++)
            {
                if (!IsSame(host.GetSt(i), ours.GetSt(i))) text.Append($" st{i}: host {host.GetSt(i)}, ours {ours.GetSt(i)}");
            }

            if (!host.Memory[..ComparedMemory].SequenceEqual(ours.Memory[..ComparedMemory]))
                text.Append($" memory: host {Convert.ToHexString(host.Memory[..10])}, ours {Convert.ToHexString(ours.Memory[..10])}");
            if (((host.Rflags ^ ours.Rflags) & 0x8D5) != 0) text.Append($" flags: host {host.Rflags:X}, ours {ours.Rflags:X}");
            if (host.Mxcsr != ours.Mxcsr) text.Append($" mxcsr: host {host.Mxcsr:X}, ours {ours.Mxcsr:X}");
            if (!host.Xmm.SequenceEqual(ours.Xmm))
                text.Append($" xmm: host {Convert.ToHexString(host.Xmm)}, ours {Convert.ToHexString(ours.Xmm)}");
            if (host.Rax != ours.Rax) text.Append($" rax: host {host.Rax:X}, ours {ours.Rax:X}");
        }

        if (text.Length == 0) return null;
        return $"{Convert.ToHexString(input.Code)} cw={input.Control:X4} sw={input.Status:X4} tags={input.Tags:X2} st0={input.GetSt(0)} "
            + $"st1={input.GetSt(1)} mem={Convert.ToHexString(input.Memory[..10])} "
            + $"xmm={Convert.ToHexString(input.Xmm)} mxcsr={input.Mxcsr:X}:{text}";
    }

    private bool IsSame(Float80 host, Float80 ours)
    {
        if (host.SignExponent == ours.SignExponent && host.Significand == ours.Significand) return true;
        if (!IsApproximate || host.IsNaN || ours.IsNaN || host.IsNegative != ours.IsNegative) return false;
        Int128 hostOrder = ((Int128)host.Exponent << 63) + (host.Significand & ~Float80.IntegerBit);
        Int128 ourOrder = ((Int128)ours.Exponent << 63) + (ours.Significand & ~Float80.IntegerBit);
        return Int128.Abs(hostOrder - ourOrder) <= 1;
    }
}
