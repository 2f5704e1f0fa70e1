using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>
/// Which handler executes which legacy-encoded SSE to SSE4.2 instruction on XMM registers, the cache hints and fences, MXCSR's load and
/// store, and CRC32. Forms with MMX registers are not here.
/// </summary>
internal static class SseBinder
{
    /// <summary>Sets the handler of an SSE instruction, whose generic fields are filled already. False: it is none of ours.</summary>
    internal static bool TryBind(in Instruction instruction, ref DecodedInstruction decoded)
    {
        Code code = instruction.Code;
        Handler handler = BindMove(code);
        if (handler.IsNull) handler = BindInteger(code);
        if (handler.IsNull) handler = BindRearrangement(code);
        if (handler.IsNull) handler = BindFloat(code);
        if (handler.IsNull) return false;
        if (code == Code.Maskmovdqu_rDI_xmm_xmm) FillMaskmovdqu(in instruction, ref decoded);
        decoded.Handler = handler;
        return true;
    }

    /// <summary>MASKMOVDQU's memory operand is implicit: rDI with the address size, in DS unless overridden.</summary>
    private static void FillMaskmovdqu(in Instruction instruction, ref DecodedInstruction decoded)
    {
        const int rdi = 7 * 8;
        decoded.Base = rdi;
        decoded.Index = VcpuState.ZeroRegister;
        decoded.Scale = 0;
        decoded.Displacement = 0;
        decoded.Traits |= InstructionTraits.Memory;
        decoded.AddressSize = instruction.Op0Kind switch
        {
            OpKind.MemorySegDI => 2,
            OpKind.MemorySegEDI => 4,
            _ => 8,
        };
        bool isLong = (decoded.Traits & InstructionTraits.Long) != 0;
        decoded.Segment = (byte)(instruction.MemorySegment switch
        {
            Register.FS => SegmentIndex.Fs,
            Register.GS => SegmentIndex.Gs,
            _ when isLong => SegmentIndex.Flat,
            Register.ES => SegmentIndex.Es,
            Register.CS => SegmentIndex.Cs,
            Register.SS => SegmentIndex.Ss,
            _ => SegmentIndex.Ds,
        });
    }

    /// <summary>Moves, elements, MXCSR, hints and fences.</summary>
    private static unsafe Handler BindMove(Code code) => code switch
    {
        Code.Movaps_xmm_xmmm128 or Code.Movapd_xmm_xmmm128 or Code.Movdqa_xmm_xmmm128 or Code.Movntdqa_xmm_m128
            => new(&SseMove.LoadAligned),
        Code.Movups_xmm_xmmm128 or Code.Movupd_xmm_xmmm128 or Code.Movdqu_xmm_xmmm128 or Code.Lddqu_xmm_m128
            => new(&SseMove.LoadUnaligned),
        Code.Movaps_xmmm128_xmm or Code.Movapd_xmmm128_xmm or Code.Movdqa_xmmm128_xmm or Code.Movntps_m128_xmm
            or Code.Movntpd_m128_xmm or Code.Movntdq_m128_xmm
            => new(&SseMove.StoreAligned),
        Code.Movups_xmmm128_xmm or Code.Movupd_xmmm128_xmm or Code.Movdqu_xmmm128_xmm => new(&SseMove.StoreUnaligned),
        Code.Movss_xmm_xmmm32 => new(&SseMove.LoadScalar<uint>),
        Code.Movsd_xmm_xmmm64 => new(&SseMove.LoadScalar<ulong>),
        Code.Movss_xmmm32_xmm => new(&SseMove.StoreScalar<uint>),
        Code.Movsd_xmmm64_xmm => new(&SseMove.StoreScalar<ulong>),
        Code.Movq_xmm_xmmm64 => new(&SseMove.LoadZeroExtended<ulong>),
        Code.Movq_xmmm64_xmm => new(&SseMove.Movq_xmmm64_xmm),
        Code.Movd_xmm_rm32 => new(&SseMove.FromGeneral<uint>),
        Code.Movq_xmm_rm64 => new(&SseMove.FromGeneral<ulong>),
        Code.Movd_rm32_xmm => new(&SseMove.ToGeneral<uint>),
        Code.Movq_rm64_xmm => new(&SseMove.ToGeneral<ulong>),
        Code.Movlps_xmm_m64 or Code.Movlpd_xmm_m64 => new(&SseMove.LoadLowHalf),
        Code.Movhps_xmm_m64 or Code.Movhpd_xmm_m64 => new(&SseMove.LoadHighHalf),
        Code.Movlps_m64_xmm or Code.Movlpd_m64_xmm => new(&SseMove.StoreLow<ulong>),
        Code.Movhps_m64_xmm or Code.Movhpd_m64_xmm => new(&SseMove.StoreHighHalf),
        Code.Movhlps_xmm_xmm => new(&SseMove.Movhlps),
        Code.Movlhps_xmm_xmm => new(&SseMove.Movlhps),
        Code.Movnti_m32_r32 => new(&SseMove.Movnti<uint>),
        Code.Movnti_m64_r64 => new(&SseMove.Movnti<ulong>),
        Code.Maskmovdqu_rDI_xmm_xmm => new(&SseMove.Maskmovdqu),
        Code.Movmskps_r32_xmm or Code.Movmskps_r64_xmm => new(&SseInteger.Movmskps),
        Code.Movmskpd_r32_xmm or Code.Movmskpd_r64_xmm => new(&SseInteger.Movmskpd),
        Code.Pmovmskb_r32_xmm or Code.Pmovmskb_r64_xmm => new(&SseInteger.Pmovmskb),
        Code.Pextrb_r32m8_xmm_imm8 or Code.Pextrb_r64m8_xmm_imm8 => new(&SseElement.Extract<byte>),
        Code.Pextrw_r32_xmm_imm8 or Code.Pextrw_r64_xmm_imm8 or Code.Pextrw_r32m16_xmm_imm8
            or Code.Pextrw_r64m16_xmm_imm8
            => new(&SseElement.Extract<ushort>),
        Code.Pextrd_rm32_xmm_imm8 or Code.Extractps_rm32_xmm_imm8 or Code.Extractps_r64m32_xmm_imm8
            => new(&SseElement.Extract<uint>),
        Code.Pextrq_rm64_xmm_imm8 => new(&SseElement.Extract<ulong>),
        Code.Pinsrb_xmm_r32m8_imm8 or Code.Pinsrb_xmm_r64m8_imm8 => new(&SseElement.Insert<byte>),
        Code.Pinsrw_xmm_r32m16_imm8 or Code.Pinsrw_xmm_r64m16_imm8 => new(&SseElement.Insert<ushort>),
        Code.Pinsrd_xmm_rm32_imm8 => new(&SseElement.Insert<uint>),
        Code.Pinsrq_xmm_rm64_imm8 => new(&SseElement.Insert<ulong>),
        Code.Insertps_xmm_xmmm32_imm8 => new(&SseElement.Insertps),
        Code.Ldmxcsr_m32 => new(&SseControl.Ldmxcsr),
        Code.Stmxcsr_m32 => new(&SseControl.Stmxcsr),
        Code.Clflush_m8 => new(&SseControl.Clflush),
        Code.Lfence or Code.Lfence_E9 or Code.Lfence_EA or Code.Lfence_EB or Code.Lfence_EC or Code.Lfence_ED
            or Code.Lfence_EE or Code.Lfence_EF
            => new(&SseControl.Nothing),
        Code.Mfence or Code.Mfence_F1 or Code.Mfence_F2 or Code.Mfence_F3 or Code.Mfence_F4 or Code.Mfence_F5
            or Code.Mfence_F6 or Code.Mfence_F7
            => new(&SseControl.Nothing),
        Code.Sfence or Code.Sfence_F9 or Code.Sfence_FA or Code.Sfence_FB or Code.Sfence_FC or Code.Sfence_FD
            or Code.Sfence_FE or Code.Sfence_FF
            => new(&SseControl.Nothing),
        Code.Prefetchnta_m8 or Code.Prefetcht0_m8 or Code.Prefetcht1_m8 or Code.Prefetcht2_m8 => new(&SseControl.Nothing),
        Code.Prefetch_m8 or Code.Prefetchw_m8 or Code.Prefetchwt1_m8 or Code.Prefetchreserved3_m8
            or Code.Prefetchreserved4_m8 or Code.Prefetchreserved5_m8 or Code.Prefetchreserved6_m8
            or Code.Prefetchreserved7_m8
            => new(&SseControl.Nothing),
        _ => default,
    };

    /// <summary>Packed integer arithmetic, comparisons and logic; strings; CRC32.</summary>
    private static unsafe Handler BindInteger(Code code) => code switch
    {
        Code.Paddb_xmm_xmmm128 => new(&SseInteger.Packed<Paddb>),
        Code.Paddw_xmm_xmmm128 => new(&SseInteger.Packed<Paddw>),
        Code.Paddd_xmm_xmmm128 => new(&SseInteger.Packed<Paddd>),
        Code.Paddq_xmm_xmmm128 => new(&SseInteger.Packed<Paddq>),
        Code.Psubb_xmm_xmmm128 => new(&SseInteger.Packed<Psubb>),
        Code.Psubw_xmm_xmmm128 => new(&SseInteger.Packed<Psubw>),
        Code.Psubd_xmm_xmmm128 => new(&SseInteger.Packed<Psubd>),
        Code.Psubq_xmm_xmmm128 => new(&SseInteger.Packed<Psubq>),
        Code.Paddsb_xmm_xmmm128 => new(&SseInteger.Packed<Paddsb>),
        Code.Paddsw_xmm_xmmm128 => new(&SseInteger.Packed<Paddsw>),
        Code.Paddusb_xmm_xmmm128 => new(&SseInteger.Packed<Paddusb>),
        Code.Paddusw_xmm_xmmm128 => new(&SseInteger.Packed<Paddusw>),
        Code.Psubsb_xmm_xmmm128 => new(&SseInteger.Packed<Psubsb>),
        Code.Psubsw_xmm_xmmm128 => new(&SseInteger.Packed<Psubsw>),
        Code.Psubusb_xmm_xmmm128 => new(&SseInteger.Packed<Psubusb>),
        Code.Psubusw_xmm_xmmm128 => new(&SseInteger.Packed<Psubusw>),
        Code.Pavgb_xmm_xmmm128 => new(&SseInteger.Packed<Pavgb>),
        Code.Pavgw_xmm_xmmm128 => new(&SseInteger.Packed<Pavgw>),
        Code.Pminsb_xmm_xmmm128 => new(&SseInteger.Packed<Pminsb>),
        Code.Pminsw_xmm_xmmm128 => new(&SseInteger.Packed<Pminsw>),
        Code.Pminsd_xmm_xmmm128 => new(&SseInteger.Packed<Pminsd>),
        Code.Pminub_xmm_xmmm128 => new(&SseInteger.Packed<Pminub>),
        Code.Pminuw_xmm_xmmm128 => new(&SseInteger.Packed<Pminuw>),
        Code.Pminud_xmm_xmmm128 => new(&SseInteger.Packed<Pminud>),
        Code.Pmaxsb_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxsb>),
        Code.Pmaxsw_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxsw>),
        Code.Pmaxsd_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxsd>),
        Code.Pmaxub_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxub>),
        Code.Pmaxuw_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxuw>),
        Code.Pmaxud_xmm_xmmm128 => new(&SseInteger.Packed<Pmaxud>),
        Code.Pabsb_xmm_xmmm128 => new(&SseInteger.Packed<Pabsb>),
        Code.Pabsw_xmm_xmmm128 => new(&SseInteger.Packed<Pabsw>),
        Code.Pabsd_xmm_xmmm128 => new(&SseInteger.Packed<Pabsd>),
        Code.Psignb_xmm_xmmm128 => new(&SseInteger.Packed<Psignb>),
        Code.Psignw_xmm_xmmm128 => new(&SseInteger.Packed<Psignw>),
        Code.Psignd_xmm_xmmm128 => new(&SseInteger.Packed<Psignd>),
        Code.Pcmpeqb_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpeqb>),
        Code.Pcmpeqw_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpeqw>),
        Code.Pcmpeqd_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpeqd>),
        Code.Pcmpeqq_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpeqq>),
        Code.Pcmpgtb_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpgtb>),
        Code.Pcmpgtw_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpgtw>),
        Code.Pcmpgtd_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpgtd>),
        Code.Pcmpgtq_xmm_xmmm128 => new(&SseInteger.Packed<Pcmpgtq>),
        Code.Pand_xmm_xmmm128 or Code.Andps_xmm_xmmm128 or Code.Andpd_xmm_xmmm128 => new(&SseInteger.Packed<Pand>),
        Code.Pandn_xmm_xmmm128 or Code.Andnps_xmm_xmmm128 or Code.Andnpd_xmm_xmmm128 => new(&SseInteger.Packed<Pandn>),
        Code.Por_xmm_xmmm128 or Code.Orps_xmm_xmmm128 or Code.Orpd_xmm_xmmm128 => new(&SseInteger.Packed<Por>),
        Code.Pxor_xmm_xmmm128 or Code.Xorps_xmm_xmmm128 or Code.Xorpd_xmm_xmmm128 => new(&SseInteger.Packed<Pxor>),
        Code.Pmullw_xmm_xmmm128 => new(&SseInteger.Packed<Pmullw>),
        Code.Pmulld_xmm_xmmm128 => new(&SseInteger.Packed<Pmulld>),
        Code.Pmulhw_xmm_xmmm128 => new(&SseInteger.Packed<Pmulhw>),
        Code.Pmulhuw_xmm_xmmm128 => new(&SseInteger.Packed<Pmulhuw>),
        Code.Pmulhrsw_xmm_xmmm128 => new(&SseInteger.Packed<Pmulhrsw>),
        Code.Pmuludq_xmm_xmmm128 => new(&SseInteger.Packed<Pmuludq>),
        Code.Pmuldq_xmm_xmmm128 => new(&SseInteger.Packed<Pmuldq>),
        Code.Pmaddwd_xmm_xmmm128 => new(&SseInteger.Packed<Pmaddwd>),
        Code.Pmaddubsw_xmm_xmmm128 => new(&SseInteger.Packed<Pmaddubsw>),
        Code.Phaddw_xmm_xmmm128 => new(&SseInteger.Packed<Phaddw>),
        Code.Phaddd_xmm_xmmm128 => new(&SseInteger.Packed<Phaddd>),
        Code.Phaddsw_xmm_xmmm128 => new(&SseInteger.Packed<Phaddsw>),
        Code.Phsubw_xmm_xmmm128 => new(&SseInteger.Packed<Phsubw>),
        Code.Phsubd_xmm_xmmm128 => new(&SseInteger.Packed<Phsubd>),
        Code.Phsubsw_xmm_xmmm128 => new(&SseInteger.Packed<Phsubsw>),
        Code.Psadbw_xmm_xmmm128 => new(&SseInteger.Packed<Psadbw>),
        Code.Phminposuw_xmm_xmmm128 => new(&SseInteger.Packed<Phminposuw>),
        Code.Mpsadbw_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Mpsadbw>),
        Code.Ptest_xmm_xmmm128 => new(&SseCompare.Ptest),
        Code.Crc32_r32_rm8 or Code.Crc32_r64_rm8 => new(&SseInteger.Crc32<byte>),
        Code.Crc32_r32_rm16 => new(&SseInteger.Crc32<ushort>),
        Code.Crc32_r32_rm32 => new(&SseInteger.Crc32<uint>),
        Code.Crc32_r64_rm64 => new(&SseInteger.Crc32<ulong>),
        Code.Pcmpestri_xmm_xmmm128_imm8 => new(&SseString.Pcmpestri),
        Code.Pcmpestri64_xmm_xmmm128_imm8 => new(&SseString.Pcmpestri64),
        Code.Pcmpestrm_xmm_xmmm128_imm8 => new(&SseString.Pcmpestrm),
        Code.Pcmpestrm64_xmm_xmmm128_imm8 => new(&SseString.Pcmpestrm64),
        Code.Pcmpistri_xmm_xmmm128_imm8 => new(&SseString.Pcmpistri),
        Code.Pcmpistrm_xmm_xmmm128_imm8 => new(&SseString.Pcmpistrm),
        _ => default,
    };

    /// <summary>Packing, shuffling, blending, widening, shifting.</summary>
    private static unsafe Handler BindRearrangement(Code code) => code switch
    {
        Code.Packsswb_xmm_xmmm128 => new(&SseInteger.Packed<Packsswb>),
        Code.Packssdw_xmm_xmmm128 => new(&SseInteger.Packed<Packssdw>),
        Code.Packuswb_xmm_xmmm128 => new(&SseInteger.Packed<Packuswb>),
        Code.Packusdw_xmm_xmmm128 => new(&SseInteger.Packed<Packusdw>),
        Code.Punpcklbw_xmm_xmmm128 => new(&SseInteger.Packed<Punpcklbw>),
        Code.Punpcklwd_xmm_xmmm128 => new(&SseInteger.Packed<Punpcklwd>),
        Code.Punpckhbw_xmm_xmmm128 => new(&SseInteger.Packed<Punpckhbw>),
        Code.Punpckhwd_xmm_xmmm128 => new(&SseInteger.Packed<Punpckhwd>),
        Code.Punpckldq_xmm_xmmm128 or Code.Unpcklps_xmm_xmmm128 => new(&SseInteger.Packed<Punpckldq>),
        Code.Punpckhdq_xmm_xmmm128 or Code.Unpckhps_xmm_xmmm128 => new(&SseInteger.Packed<Punpckhdq>),
        Code.Punpcklqdq_xmm_xmmm128 or Code.Unpcklpd_xmm_xmmm128 => new(&SseInteger.Packed<Punpcklqdq>),
        Code.Punpckhqdq_xmm_xmmm128 or Code.Unpckhpd_xmm_xmmm128 => new(&SseInteger.Packed<Punpckhqdq>),
        Code.Pshufb_xmm_xmmm128 => new(&SseInteger.Packed<Pshufb>),
        Code.Movsldup_xmm_xmmm128 => new(&SseInteger.Packed<Movsldup>),
        Code.Movshdup_xmm_xmmm128 => new(&SseInteger.Packed<Movshdup>),
        Code.Movddup_xmm_xmmm64 => new(&SseInteger.Narrow<Movddup, ulong>),
        Code.Pmovsxbw_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovsxbw, ulong>),
        Code.Pmovsxbd_xmm_xmmm32 => new(&SseInteger.Narrow<Pmovsxbd, uint>),
        Code.Pmovsxbq_xmm_xmmm16 => new(&SseInteger.Narrow<Pmovsxbq, ushort>),
        Code.Pmovsxwd_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovsxwd, ulong>),
        Code.Pmovsxwq_xmm_xmmm32 => new(&SseInteger.Narrow<Pmovsxwq, uint>),
        Code.Pmovsxdq_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovsxdq, ulong>),
        Code.Pmovzxbw_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovzxbw, ulong>),
        Code.Pmovzxbd_xmm_xmmm32 => new(&SseInteger.Narrow<Pmovzxbd, uint>),
        Code.Pmovzxbq_xmm_xmmm16 => new(&SseInteger.Narrow<Pmovzxbq, ushort>),
        Code.Pmovzxwd_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovzxwd, ulong>),
        Code.Pmovzxwq_xmm_xmmm32 => new(&SseInteger.Narrow<Pmovzxwq, uint>),
        Code.Pmovzxdq_xmm_xmmm64 => new(&SseInteger.Narrow<Pmovzxdq, ulong>),
        Code.Pshufd_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Pshufd>),
        Code.Pshuflw_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Pshuflw>),
        Code.Pshufhw_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Pshufhw>),
        Code.Shufps_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Shufps>),
        Code.Shufpd_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Shufpd>),
        Code.Blendps_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Blendps>),
        Code.Blendpd_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Blendpd>),
        Code.Pblendw_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Pblendw>),
        Code.Palignr_xmm_xmmm128_imm8 => new(&SseInteger.PackedImmediate<Palignr>),
        Code.Pblendvb_xmm_xmmm128 => new(&SseElement.BlendByMask<sbyte>),
        Code.Blendvps_xmm_xmmm128 => new(&SseElement.BlendByMask<int>),
        Code.Blendvpd_xmm_xmmm128 => new(&SseElement.BlendByMask<long>),
        Code.Psrlw_xmm_xmmm128 => new(&SseShift.ByVector<Psrlw>),
        Code.Psrlw_xmm_imm8 => new(&SseShift.ByImmediate<Psrlw>),
        Code.Psrld_xmm_xmmm128 => new(&SseShift.ByVector<Psrld>),
        Code.Psrld_xmm_imm8 => new(&SseShift.ByImmediate<Psrld>),
        Code.Psrlq_xmm_xmmm128 => new(&SseShift.ByVector<Psrlq>),
        Code.Psrlq_xmm_imm8 => new(&SseShift.ByImmediate<Psrlq>),
        Code.Psraw_xmm_xmmm128 => new(&SseShift.ByVector<Psraw>),
        Code.Psraw_xmm_imm8 => new(&SseShift.ByImmediate<Psraw>),
        Code.Psrad_xmm_xmmm128 => new(&SseShift.ByVector<Psrad>),
        Code.Psrad_xmm_imm8 => new(&SseShift.ByImmediate<Psrad>),
        Code.Psllw_xmm_xmmm128 => new(&SseShift.ByVector<Psllw>),
        Code.Psllw_xmm_imm8 => new(&SseShift.ByImmediate<Psllw>),
        Code.Pslld_xmm_xmmm128 => new(&SseShift.ByVector<Pslld>),
        Code.Pslld_xmm_imm8 => new(&SseShift.ByImmediate<Pslld>),
        Code.Psllq_xmm_xmmm128 => new(&SseShift.ByVector<Psllq>),
        Code.Psllq_xmm_imm8 => new(&SseShift.ByImmediate<Psllq>),
        Code.Pslldq_xmm_imm8 => new(&SseShift.ByImmediate<Pslldq>),
        Code.Psrldq_xmm_imm8 => new(&SseShift.ByImmediate<Psrldq>),
        _ => default,
    };

    /// <summary>Floating-point arithmetic, comparisons and conversions.</summary>
    private static unsafe Handler BindFloat(Code code) => code switch
    {
        Code.Addps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatAdd>),
        Code.Addpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatAdd>),
        Code.Addss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatAdd>),
        Code.Addsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatAdd>),
        Code.Subps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatSubtract>),
        Code.Subpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatSubtract>),
        Code.Subss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatSubtract>),
        Code.Subsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatSubtract>),
        Code.Mulps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatMultiply>),
        Code.Mulpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatMultiply>),
        Code.Mulss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatMultiply>),
        Code.Mulsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatMultiply>),
        Code.Divps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatDivide>),
        Code.Divpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatDivide>),
        Code.Divss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatDivide>),
        Code.Divsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatDivide>),
        Code.Minps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatMinimum>),
        Code.Minpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatMinimum>),
        Code.Minss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatMinimum>),
        Code.Minsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatMinimum>),
        Code.Maxps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatMaximum>),
        Code.Maxpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatMaximum>),
        Code.Maxss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatMaximum>),
        Code.Maxsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatMaximum>),
        Code.Sqrtps_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary32, FloatSquareRoot>),
        Code.Sqrtpd_xmm_xmmm128 => new(&SseArithmetic.Packed<Binary64, FloatSquareRoot>),
        Code.Sqrtss_xmm_xmmm32 => new(&SseArithmetic.Scalar<Binary32, FloatSquareRoot>),
        Code.Sqrtsd_xmm_xmmm64 => new(&SseArithmetic.Scalar<Binary64, FloatSquareRoot>),
        Code.Cmpps_xmm_xmmm128_imm8 => new(&SseCompare.Packed<Binary32>),
        Code.Cmppd_xmm_xmmm128_imm8 => new(&SseCompare.Packed<Binary64>),
        Code.Cmpss_xmm_xmmm32_imm8 => new(&SseCompare.Scalar<Binary32>),
        Code.Cmpsd_xmm_xmmm64_imm8 => new(&SseCompare.Scalar<Binary64>),
        Code.Roundps_xmm_xmmm128_imm8 => new(&SseArithmetic.RoundPacked<Binary32>),
        Code.Roundpd_xmm_xmmm128_imm8 => new(&SseArithmetic.RoundPacked<Binary64>),
        Code.Roundss_xmm_xmmm32_imm8 => new(&SseArithmetic.RoundScalar<Binary32>),
        Code.Roundsd_xmm_xmmm64_imm8 => new(&SseArithmetic.RoundScalar<Binary64>),
        Code.Comiss_xmm_xmmm32 => new(&SseCompare.Ordered<Binary32>),
        Code.Ucomiss_xmm_xmmm32 => new(&SseCompare.Unordered<Binary32>),
        Code.Comisd_xmm_xmmm64 => new(&SseCompare.Ordered<Binary64>),
        Code.Ucomisd_xmm_xmmm64 => new(&SseCompare.Unordered<Binary64>),
        Code.Haddps_xmm_xmmm128 => new(&SseArithmetic.Horizontal<Binary32, FloatAdd>),
        Code.Hsubps_xmm_xmmm128 => new(&SseArithmetic.Horizontal<Binary32, FloatSubtract>),
        Code.Addsubps_xmm_xmmm128 => new(&SseArithmetic.AddSubtract<Binary32>),
        Code.Dpps_xmm_xmmm128_imm8 => new(&SseArithmetic.DotProduct<Binary32>),
        Code.Haddpd_xmm_xmmm128 => new(&SseArithmetic.Horizontal<Binary64, FloatAdd>),
        Code.Hsubpd_xmm_xmmm128 => new(&SseArithmetic.Horizontal<Binary64, FloatSubtract>),
        Code.Addsubpd_xmm_xmmm128 => new(&SseArithmetic.AddSubtract<Binary64>),
        Code.Dppd_xmm_xmmm128_imm8 => new(&SseArithmetic.DotProduct<Binary64>),
        Code.Rcpps_xmm_xmmm128 => new(&SseReciprocal.Rcpps),
        Code.Rcpss_xmm_xmmm32 => new(&SseReciprocal.Rcpss),
        Code.Rsqrtps_xmm_xmmm128 => new(&SseReciprocal.Rsqrtps),
        Code.Rsqrtss_xmm_xmmm32 => new(&SseReciprocal.Rsqrtss),
        Code.Cvtsi2ss_xmm_rm32 => new(&SseConversion.FromGeneral<Binary32, int>),
        Code.Cvtsi2ss_xmm_rm64 => new(&SseConversion.FromGeneral<Binary32, long>),
        Code.Cvtss2si_r32_xmmm32 => new(&SseConversion.ToGeneral<Binary32, int, CurrentRounding>),
        Code.Cvtss2si_r64_xmmm32 => new(&SseConversion.ToGeneral<Binary32, long, CurrentRounding>),
        Code.Cvttss2si_r32_xmmm32 => new(&SseConversion.ToGeneral<Binary32, int, Truncation>),
        Code.Cvttss2si_r64_xmmm32 => new(&SseConversion.ToGeneral<Binary32, long, Truncation>),
        Code.Cvtsi2sd_xmm_rm32 => new(&SseConversion.FromGeneral<Binary64, int>),
        Code.Cvtsi2sd_xmm_rm64 => new(&SseConversion.FromGeneral<Binary64, long>),
        Code.Cvtsd2si_r32_xmmm64 => new(&SseConversion.ToGeneral<Binary64, int, CurrentRounding>),
        Code.Cvtsd2si_r64_xmmm64 => new(&SseConversion.ToGeneral<Binary64, long, CurrentRounding>),
        Code.Cvttsd2si_r32_xmmm64 => new(&SseConversion.ToGeneral<Binary64, int, Truncation>),
        Code.Cvttsd2si_r64_xmmm64 => new(&SseConversion.ToGeneral<Binary64, long, Truncation>),
        Code.Cvtdq2ps_xmm_xmmm128 => new(&SseConversion.Cvtdq2ps),
        Code.Cvtdq2pd_xmm_xmmm64 => new(&SseConversion.Cvtdq2pd),
        Code.Cvtps2dq_xmm_xmmm128 => new(&SseConversion.PackedSingleToIntegers<CurrentRounding>),
        Code.Cvtpd2dq_xmm_xmmm128 => new(&SseConversion.PackedDoubleToIntegers<CurrentRounding>),
        Code.Cvttps2dq_xmm_xmmm128 => new(&SseConversion.PackedSingleToIntegers<Truncation>),
        Code.Cvttpd2dq_xmm_xmmm128 => new(&SseConversion.PackedDoubleToIntegers<Truncation>),
        Code.Cvtps2pd_xmm_xmmm64 => new(&SseConversion.Cvtps2pd),
        Code.Cvtpd2ps_xmm_xmmm128 => new(&SseConversion.Cvtpd2ps),
        Code.Cvtss2sd_xmm_xmmm32 => new(&SseConversion.Scalar<Binary64, Binary32>),
        Code.Cvtsd2ss_xmm_xmmm64 => new(&SseConversion.Scalar<Binary32, Binary64>),
        _ => default,
    };
}
