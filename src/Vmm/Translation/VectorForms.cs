using System.Collections.Generic;
using Iced.Intel;

namespace Vmm.Translation;

/// <summary>
/// Which SSE instructions are carried over as they are. Results of IEEE arithmetic are the same on every host; approximations (RCPPS, RSQRTPS) and dot products, whose order is
/// not fixed, are left to handlers.
/// </summary>
internal static class VectorForms
{
    private static readonly HashSet<Mnemonic> s_moves =
    [
        Mnemonic.Movaps, Mnemonic.Movups, Mnemonic.Movapd, Mnemonic.Movupd, Mnemonic.Movdqa, Mnemonic.Movdqu, Mnemonic.Lddqu, Mnemonic.Movq, Mnemonic.Movd, Mnemonic.Movss,
        Mnemonic.Movsd, Mnemonic.Movlps, Mnemonic.Movhps, Mnemonic.Movlpd, Mnemonic.Movhpd, Mnemonic.Movhlps, Mnemonic.Movlhps, Mnemonic.Movntps, Mnemonic.Movntpd,
        Mnemonic.Movntdq, Mnemonic.Movntdqa, Mnemonic.Movmskps, Mnemonic.Movmskpd, Mnemonic.Pmovmskb, Mnemonic.Movshdup, Mnemonic.Movsldup, Mnemonic.Movddup,
    ];

    private static readonly HashSet<Mnemonic> s_operations =
    [
        Mnemonic.Pand, Mnemonic.Pandn, Mnemonic.Por, Mnemonic.Pxor, Mnemonic.Andps, Mnemonic.Andpd, Mnemonic.Andnps, Mnemonic.Andnpd, Mnemonic.Orps, Mnemonic.Orpd,
        Mnemonic.Xorps, Mnemonic.Xorpd,
        Mnemonic.Paddb, Mnemonic.Paddw, Mnemonic.Paddd, Mnemonic.Paddq, Mnemonic.Paddsb, Mnemonic.Paddsw, Mnemonic.Paddusb, Mnemonic.Paddusw,
        Mnemonic.Psubb, Mnemonic.Psubw, Mnemonic.Psubd, Mnemonic.Psubq, Mnemonic.Psubsb, Mnemonic.Psubsw, Mnemonic.Psubusb, Mnemonic.Psubusw,
        Mnemonic.Pmullw, Mnemonic.Pmulhw, Mnemonic.Pmulhuw, Mnemonic.Pmuludq, Mnemonic.Pmulld, Mnemonic.Pmuldq, Mnemonic.Pmulhrsw, Mnemonic.Pmaddwd, Mnemonic.Pmaddubsw,
        Mnemonic.Pcmpeqb, Mnemonic.Pcmpeqw, Mnemonic.Pcmpeqd, Mnemonic.Pcmpeqq, Mnemonic.Pcmpgtb, Mnemonic.Pcmpgtw, Mnemonic.Pcmpgtd, Mnemonic.Pcmpgtq,
        Mnemonic.Pminub, Mnemonic.Pminuw, Mnemonic.Pminud, Mnemonic.Pminsb, Mnemonic.Pminsw, Mnemonic.Pminsd,
        Mnemonic.Pmaxub, Mnemonic.Pmaxuw, Mnemonic.Pmaxud, Mnemonic.Pmaxsb, Mnemonic.Pmaxsw, Mnemonic.Pmaxsd,
        Mnemonic.Pavgb, Mnemonic.Pavgw, Mnemonic.Psadbw, Mnemonic.Pabsb, Mnemonic.Pabsw, Mnemonic.Pabsd, Mnemonic.Psignb, Mnemonic.Psignw, Mnemonic.Psignd,
        Mnemonic.Psllw, Mnemonic.Pslld, Mnemonic.Psllq, Mnemonic.Psrlw, Mnemonic.Psrld, Mnemonic.Psrlq, Mnemonic.Psraw, Mnemonic.Psrad, Mnemonic.Pslldq, Mnemonic.Psrldq,
        Mnemonic.Pshufb, Mnemonic.Pshufd, Mnemonic.Pshufhw, Mnemonic.Pshuflw, Mnemonic.Shufps, Mnemonic.Shufpd, Mnemonic.Palignr,
        Mnemonic.Punpcklbw, Mnemonic.Punpcklwd, Mnemonic.Punpckldq, Mnemonic.Punpcklqdq, Mnemonic.Punpckhbw, Mnemonic.Punpckhwd, Mnemonic.Punpckhdq, Mnemonic.Punpckhqdq,
        Mnemonic.Unpcklps, Mnemonic.Unpcklpd, Mnemonic.Unpckhps, Mnemonic.Unpckhpd,
        Mnemonic.Packsswb, Mnemonic.Packssdw, Mnemonic.Packuswb, Mnemonic.Packusdw,
        Mnemonic.Phaddw, Mnemonic.Phaddd, Mnemonic.Phaddsw, Mnemonic.Phsubw, Mnemonic.Phsubd, Mnemonic.Phsubsw,
        Mnemonic.Pmovsxbw, Mnemonic.Pmovsxbd, Mnemonic.Pmovsxbq, Mnemonic.Pmovsxwd, Mnemonic.Pmovsxwq, Mnemonic.Pmovsxdq,
        Mnemonic.Pmovzxbw, Mnemonic.Pmovzxbd, Mnemonic.Pmovzxbq, Mnemonic.Pmovzxwd, Mnemonic.Pmovzxwq, Mnemonic.Pmovzxdq,
        Mnemonic.Pinsrb, Mnemonic.Pinsrw, Mnemonic.Pinsrd, Mnemonic.Pinsrq, Mnemonic.Pextrb, Mnemonic.Pextrw, Mnemonic.Pextrd, Mnemonic.Pextrq,
        Mnemonic.Pblendw, Mnemonic.Pblendvb, Mnemonic.Blendps, Mnemonic.Blendpd, Mnemonic.Blendvps, Mnemonic.Blendvpd, Mnemonic.Insertps, Mnemonic.Extractps,
    ];

    /// <summary>They look at MXCSR and raise its flags: carried over while it masks all exceptions.</summary>
    private static readonly HashSet<Mnemonic> s_floatingPoint =
    [
        Mnemonic.Addps, Mnemonic.Addpd, Mnemonic.Addss, Mnemonic.Addsd, Mnemonic.Subps, Mnemonic.Subpd, Mnemonic.Subss, Mnemonic.Subsd,
        Mnemonic.Mulps, Mnemonic.Mulpd, Mnemonic.Mulss, Mnemonic.Mulsd, Mnemonic.Divps, Mnemonic.Divpd, Mnemonic.Divss, Mnemonic.Divsd,
        Mnemonic.Sqrtps, Mnemonic.Sqrtpd, Mnemonic.Sqrtss, Mnemonic.Sqrtsd, Mnemonic.Minps, Mnemonic.Minpd, Mnemonic.Minss, Mnemonic.Minsd,
        Mnemonic.Maxps, Mnemonic.Maxpd, Mnemonic.Maxss, Mnemonic.Maxsd, Mnemonic.Cmpps, Mnemonic.Cmppd, Mnemonic.Cmpss, Mnemonic.Cmpsd,
        Mnemonic.Addsubps, Mnemonic.Addsubpd, Mnemonic.Haddps, Mnemonic.Haddpd, Mnemonic.Hsubps, Mnemonic.Hsubpd,
        Mnemonic.Roundps, Mnemonic.Roundpd, Mnemonic.Roundss, Mnemonic.Roundsd,
        Mnemonic.Cvtsi2ss, Mnemonic.Cvtsi2sd, Mnemonic.Cvtss2sd, Mnemonic.Cvtsd2ss, Mnemonic.Cvtps2pd, Mnemonic.Cvtpd2ps, Mnemonic.Cvtdq2ps, Mnemonic.Cvtdq2pd,
        Mnemonic.Cvtps2dq, Mnemonic.Cvttps2dq, Mnemonic.Cvtpd2dq, Mnemonic.Cvttpd2dq,
        Mnemonic.Cvtss2si, Mnemonic.Cvtsd2si, Mnemonic.Cvttss2si, Mnemonic.Cvttsd2si,
    ];

    /// <summary>The same, but what they write is flags.</summary>
    private static readonly HashSet<Mnemonic> s_comparisons = [Mnemonic.Comiss, Mnemonic.Comisd, Mnemonic.Ucomiss, Mnemonic.Ucomisd];

    /// <summary>Memory operands of 16 bytes that need not be aligned.</summary>
    private static readonly HashSet<Mnemonic> s_unaligned = [Mnemonic.Movups, Mnemonic.Movupd, Mnemonic.Movdqu, Mnemonic.Lddqu];

    public static bool IsCarriedOver(in Instruction i) => (s_moves.Contains(i.Mnemonic) || s_operations.Contains(i.Mnemonic)) && IsOfXmm(i);

    public static bool IsFloatingPoint(in Instruction i) => s_floatingPoint.Contains(i.Mnemonic) && IsOfXmm(i);

    public static bool IsComparison(in Instruction i) => i.Encoding == EncodingKind.Legacy && s_comparisons.Contains(i.Mnemonic);

    private static bool IsOfXmm(in Instruction i)
    {
        if (i.Encoding != EncodingKind.Legacy) return false;
        bool vector = false;
        for (int operand = 0; operand < i.OpCount; operand++)
        {
            if (i.GetOpKind(operand) != OpKind.Register) continue;
            Register register = i.GetOpRegister(operand);
            if (register.IsMM()) return false;
            vector |= register.IsXMM();
        }
        return vector;
    }

    /// <summary>The memory operand must be aligned to its size, or #GP.</summary>
    public static bool NeedsAlignment(in Instruction i) => i.MemorySize.GetSize() == 16 && !s_unaligned.Contains(i.Mnemonic);
}
