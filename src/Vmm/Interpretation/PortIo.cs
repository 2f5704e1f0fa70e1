using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>IN and OUT, with the I/O permission bitmap (SDM 1 19.5).</summary>
internal static unsafe class PortIo
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        if (i.Mnemonic is not (Mnemonic.In or Mnemonic.Out)) return default;
        bool input = i.Mnemonic == Mnemonic.In;
        d.OperandSize = (byte)(input ? i.Op0Register : i.Op1Register).GetSize();
        bool immediate = (input ? i.Op1Kind : i.Op0Kind) == OpKind.Immediate8;
        if (input) return immediate ? new(&InImmediate) : new(&InDx);
        return immediate ? new(&OutImmediate) : new(&OutDx);
    }

    /// <summary>Whether the current privilege may access the ports. False: #GP (or a fault of reading the bitmap) is pending.</summary>
    public static bool TryCheckPermission(Vcpu c, ushort port, int sizeBytes)
    {
        ref VcpuState s = ref c.State;
        if (!s.IsProtected || (!s.IsVirtual8086 && s.Cpl <= ((int)(s.SystemFlags >> 12) & 3))) return true;
        ref SegmentRegister tr = ref s.Segment(SegmentIndex.Tr);
        // Only 32- and 64-bit TSSs have a bitmap; its offset is at 0x66.
        bool wide = tr.IsPresent && tr.Type is 9 or 11;
        if (wide && tr.Limit >= 0x67)
        {
            if (!c.TryReadSystem(tr.Base + 0x66, out ushort bitmapOffset)) return false;
            ulong byteOffset = bitmapOffset + ((ulong)port >> 3);
            if (byteOffset + 1 <= tr.Limit)
            {
                if (!c.TryReadSystem(tr.Base + byteOffset, out ushort bits)) return false;
                int mask = ((1 << sizeBytes) - 1) << (port & 7);
                if ((bits & mask) == 0) return true;
            }
        }
        c.GeneralProtection();
        return false;
    }

    private static Completion In(Vcpu c, ushort port, int sizeBytes)
    {
        if (!TryCheckPermission(c, port, sizeBytes)) return Completion.Fault;
        uint value = c.Bus.ReadPort(c, port, sizeBytes);
        if (sizeBytes == 1) c.State.Register<byte>(0) = (byte)value;
        else if (sizeBytes == 2) c.State.Register<ushort>(0) = (ushort)value;
        else c.State.Rax = value;
        return Completion.Next;
    }

    private static Completion Out(Vcpu c, ushort port, int sizeBytes)
    {
        if (!TryCheckPermission(c, port, sizeBytes)) return Completion.Fault;
        c.Bus.WritePort(c, port, sizeBytes, (uint)c.State.Rax);
        return Completion.Next;
    }

    private static Completion InImmediate(Vcpu c, in DecodedInstruction d) => In(c, (byte)d.Immediate, d.OperandSize);
    private static Completion InDx(Vcpu c, in DecodedInstruction d) => In(c, (ushort)c.State.Rdx, d.OperandSize);
    private static Completion OutImmediate(Vcpu c, in DecodedInstruction d) => Out(c, (byte)d.Immediate, d.OperandSize);
    private static Completion OutDx(Vcpu c, in DecodedInstruction d) => Out(c, (ushort)c.State.Rdx, d.OperandSize);
}
