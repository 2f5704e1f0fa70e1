using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>The handlers of the MMX instructions and of all others with an mm operand, by Iced's code.</summary>
internal static class MmxBinder
{
    /// <summary>False: not an instruction of this family.</summary>
    internal static unsafe bool TryBind(in Instruction instruction, ref DecodedInstruction decoded)
    {
        switch (instruction.Code)
        {
            case Code.Paddb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddbOperation>); break;
            case Code.Paddw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddwOperation>); break;
            case Code.Paddd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PadddOperation>); break;
            case Code.Paddq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddqOperation>); break;
            case Code.Psubb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubbOperation>); break;
            case Code.Psubw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubwOperation>); break;
            case Code.Psubd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubdOperation>); break;
            case Code.Psubq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubqOperation>); break;
            case Code.Paddsb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddsbOperation>); break;
            case Code.Paddsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddswOperation>); break;
            case Code.Paddusb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PaddusbOperation>); break;
            case Code.Paddusw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PadduswOperation>); break;
            case Code.Psubsb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubsbOperation>); break;
            case Code.Psubsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubswOperation>); break;
            case Code.Psubusb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubusbOperation>); break;
            case Code.Psubusw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsubuswOperation>); break;
            case Code.Pand_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PandOperation>); break;
            case Code.Pandn_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PandnOperation>); break;
            case Code.Por_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PorOperation>); break;
            case Code.Pxor_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PxorOperation>); break;
            case Code.Pcmpeqb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpeqbOperation>); break;
            case Code.Pcmpeqw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpeqwOperation>); break;
            case Code.Pcmpeqd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpeqdOperation>); break;
            case Code.Pcmpgtb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpgtbOperation>); break;
            case Code.Pcmpgtw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpgtwOperation>); break;
            case Code.Pcmpgtd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PcmpgtdOperation>); break;
            case Code.Pminub_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PminubOperation>); break;
            case Code.Pmaxub_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmaxubOperation>); break;
            case Code.Pminsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PminswOperation>); break;
            case Code.Pmaxsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmaxswOperation>); break;
            case Code.Pmullw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmullwOperation>); break;
            case Code.Pmulhw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmulhwOperation>); break;
            case Code.Pmulhuw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmulhuwOperation>); break;
            case Code.Pmulhrsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmulhrswOperation>); break;
            case Code.Pmuludq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmuludqOperation>); break;
            case Code.Pmaddwd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmaddwdOperation>); break;
            case Code.Pmaddubsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PmaddubswOperation>); break;
            case Code.Psadbw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsadbwOperation>); break;
            case Code.Pavgb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PavgbOperation>); break;
            case Code.Pavgw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PavgwOperation>); break;
            case Code.Packsswb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PacksswbOperation>); break;
            case Code.Packssdw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PackssdwOperation>); break;
            case Code.Packuswb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PackuswbOperation>); break;
            case Code.Punpckhbw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PunpckhbwOperation>); break;
            case Code.Punpckhwd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PunpckhwdOperation>); break;
            case Code.Punpckhdq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PunpckhdqOperation>); break;
            case Code.Pshufb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PshufbOperation>); break;
            case Code.Phaddw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhaddwOperation>); break;
            case Code.Phaddsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhaddswOperation>); break;
            case Code.Phaddd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhadddOperation>); break;
            case Code.Phsubw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhsubwOperation>); break;
            case Code.Phsubsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhsubswOperation>); break;
            case Code.Phsubd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PhsubdOperation>); break;
            case Code.Psignb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsignbOperation>); break;
            case Code.Psignw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsignwOperation>); break;
            case Code.Psignd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsigndOperation>); break;
            case Code.Pabsb_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PabsbOperation>); break;
            case Code.Pabsw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PabswOperation>); break;
            case Code.Pabsd_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PabsdOperation>); break;
            case Code.Psllw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsllwOperation>); break;
            case Code.Psllw_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsllwOperation>); break;
            case Code.Pslld_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PslldOperation>); break;
            case Code.Pslld_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PslldOperation>); break;
            case Code.Psllq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsllqOperation>); break;
            case Code.Psllq_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsllqOperation>); break;
            case Code.Psrlw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsrlwOperation>); break;
            case Code.Psrlw_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsrlwOperation>); break;
            case Code.Psrld_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsrldOperation>); break;
            case Code.Psrld_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsrldOperation>); break;
            case Code.Psrlq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsrlqOperation>); break;
            case Code.Psrlq_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsrlqOperation>); break;
            case Code.Psraw_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsrawOperation>); break;
            case Code.Psraw_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsrawOperation>); break;
            case Code.Psrad_mm_mmm64: decoded.Handler = new Handler(&Mmx.Binary<PsradOperation>); break;
            case Code.Psrad_mm_imm8: decoded.Handler = new Handler(&Mmx.Shift<PsradOperation>); break;
            case Code.Punpcklbw_mm_mmm32: decoded.Handler = new Handler(&Mmx.BinaryLow<PunpcklbwOperation>); break;
            case Code.Punpcklwd_mm_mmm32: decoded.Handler = new Handler(&Mmx.BinaryLow<PunpcklwdOperation>); break;
            case Code.Punpckldq_mm_mmm32: decoded.Handler = new Handler(&Mmx.BinaryLow<PunpckldqOperation>); break;
            case Code.Pshufw_mm_mmm64_imm8: decoded.Handler = new Handler(&Mmx.Pshufw_mm_mmm64_imm8); break;
            case Code.Palignr_mm_mmm64_imm8: decoded.Handler = new Handler(&Mmx.Palignr_mm_mmm64_imm8); break;
            case Code.Movd_mm_rm32: decoded.Handler = new Handler(&Mmx.Movd_mm_rm32); break;
            case Code.Movq_mm_rm64: decoded.Handler = new Handler(&Mmx.Movq_mm_rm64); break;
            case Code.Movd_rm32_mm: decoded.Handler = new Handler(&Mmx.Movd_rm32_mm); break;
            case Code.Movq_rm64_mm: decoded.Handler = new Handler(&Mmx.Movq_rm64_mm); break;
            case Code.Movq_mm_mmm64: decoded.Handler = new Handler(&Mmx.Movq_mm_mmm64); break;
            case Code.Movq_mmm64_mm: decoded.Handler = new Handler(&Mmx.Movq_mmm64_mm); break;
            case Code.Movdq2q_mm_xmm: decoded.Handler = new Handler(&Mmx.Movdq2q_mm_xmm); break;
            case Code.Movq2dq_xmm_mm: decoded.Handler = new Handler(&Mmx.Movq2dq_xmm_mm); break;
            case Code.Emms: decoded.Handler = new Handler(&Mmx.Emms); break;
            case Code.Movntq_m64_mm: decoded.Handler = new Handler(&Mmx.Movq_mmm64_mm); break;
            case Code.Pinsrw_mm_r32m16_imm8: decoded.Handler = new Handler(&Mmx.Pinsrw); break;
            case Code.Pextrw_r32_mm_imm8: decoded.Handler = new Handler(&Mmx.Pextrw); break;
            case Code.Pmovmskb_r32_mm: decoded.Handler = new Handler(&Mmx.Pmovmskb); break;
            case Code.Pinsrw_mm_r64m16_imm8: decoded.Handler = new Handler(&Mmx.Pinsrw); break;
            case Code.Pextrw_r64_mm_imm8: decoded.Handler = new Handler(&Mmx.Pextrw); break;
            case Code.Pmovmskb_r64_mm: decoded.Handler = new Handler(&Mmx.Pmovmskb); break;
            case Code.Cvtpi2ps_xmm_mmm64: decoded.Handler = new Handler(&MmxConversions.Cvtpi2ps_xmm_mmm64); break;
            case Code.Cvtpi2pd_xmm_mmm64: decoded.Handler = new Handler(&MmxConversions.Cvtpi2pd_xmm_mmm64); break;
            case Code.Cvtps2pi_mm_xmmm64: decoded.Handler = new Handler(&MmxConversions.Cvtps2pi_mm_xmmm64); break;
            case Code.Cvttps2pi_mm_xmmm64: decoded.Handler = new Handler(&MmxConversions.Cvttps2pi_mm_xmmm64); break;
            case Code.Cvtpd2pi_mm_xmmm128: decoded.Handler = new Handler(&MmxConversions.Cvtpd2pi_mm_xmmm128); break;
            case Code.Cvttpd2pi_mm_xmmm128: decoded.Handler = new Handler(&MmxConversions.Cvttpd2pi_mm_xmmm128); break;
            case Code.Maskmovq_rDI_mm_mm:
                BindImplicitMemory(in instruction, ref decoded);
                decoded.Handler = new Handler(&Mmx.Maskmovq_rDI_mm_mm);
                break;
            default: return false;
        }

        return true;
    }

    // The destination [rDI] is implicit: it becomes the memory operand.
    private static void BindImplicitMemory(in Instruction instruction, ref DecodedInstruction decoded)
    {
        decoded.Traits |= InstructionTraits.Memory;
        decoded.Base = 7 * 8;
        decoded.Index = VcpuState.ZeroRegister;
        decoded.Scale = 0;
        decoded.Displacement = 0;
        decoded.AddressSize = instruction.Op0Kind switch
        {
            OpKind.MemorySegDI => 2,
            OpKind.MemorySegEDI => 4,
            _ => 8,
        };
        bool based = instruction.MemorySegment is Register.FS or Register.GS;
        bool flat = (decoded.Traits & InstructionTraits.Long) != 0 && !based;
        decoded.Segment = (byte)(flat ? SegmentIndex.Flat : instruction.MemorySegment - Register.ES);
    }
}
