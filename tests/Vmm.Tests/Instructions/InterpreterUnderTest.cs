using System;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Tests.Engines;

namespace Vmm.Tests.Instructions;

/// <summary>
/// The interpreter in the situation of a Linux user program: IA-32e mode, CPL 3, IOPL 0, the two pages of a case and nothing else mapped
/// for it. Handlers halt.
/// </summary>
internal class InterpreterUnderTest : IEngineUnderTest
{
    private const ulong Pml4 = 0x1000, Pdpt = 0x2000, Directory = 0x3000, LowTable = 0x4000, HighTable = 0x5000, KernelPdpt = 0xA000,
        KernelDirectory = 0xB000, KernelTable = 0xC000;
    /// <summary>Where the first 64 KiB of memory are mapped for the supervisor: in the half of the address space where Linux is, too.</summary>
    private const ulong Kernel = 0xFFFF_FFFF_8000_0000;
    private const ulong Idt = 0x6000, Gdt = 0x6800, Tss = 0x7000, HandlerStack = 0x9000, Handlers = 0x9000;
    private const ushort KernelCode = 0x10;
    /// <summary>More iterations than a REP can make before it leaves the scratch page.</summary>
    private const ulong InstructionLimit = 10_000;

    private readonly TestMachine _machine;
    private readonly byte[] _codePage = new byte[CaseState.PageSizeBytes];

    public InterpreterUnderTest() : this(translates: false)
    {
    }

    protected InterpreterUnderTest(bool translates, int blockLength = Block.MaximumLength)
    {
        _machine = new TestMachine(4 << 20, translates ? 1 : 0, blockLength);
        Store(Pml4, Pdpt | 7);
        Store(Pdpt, Directory | 7);
        Store(Directory, LowTable | 7);
        Store(Directory + 8, HighTable | 7);
        Store(Pml4 + (8 * 511), KernelPdpt | 3);
        Store(KernelPdpt + (8 * 510), KernelDirectory | 3);
        Store(KernelDirectory, KernelTable | 3);
        for (ulong page = 0; page < 0x10; page++) Store(KernelTable + (8 * page), (page << 12) | 3);
        Store(LowTable + (8 * (CaseState.CodePage >> 12)), CaseState.CodePage | 5); // user, read-only
        Store(HighTable + (8 * ((CaseState.Scratch >> 12) & 0x1FF)), CaseState.Scratch | 7);
        Store(Gdt + KernelCode, 0x00AF_9B00_0000_FFFF);
        for (ulong vector = 0; vector < 32; vector++)
        {
            ulong handler = Kernel + Handlers + (16 * vector);
            Store(Idt + (16 * vector), (handler & 0xFFFF) | ((ulong)KernelCode << 16) | 0xEE00_0000_0000 | ((handler & 0xFFFF_0000) << 32));
            Store(Idt + (16 * vector) + 8, handler >> 32);
            _machine.Memory.Write(new GuestPhysicalAddress(Handlers + (16 * vector)), (byte)0xF4);
        }
        Store(Tss + 4, Kernel + HandlerStack);
        _machine.Memory.Write(new GuestPhysicalAddress(Tss + 0x66), (ushort)0x68); // no I/O permission bitmap
    }

    public virtual string Name => "interpreter";

    public CaseOutcome Execute(int bitness, byte[] code, CaseState input)
    {
        _codePage.AsSpan().Fill(0xCC); // INT3, as on the host
        code.CopyTo(_codePage, (int)(CaseState.CodeStart - CaseState.CodePage));
        _machine.Memory.Write(new GuestPhysicalAddress(CaseState.CodePage), _codePage);
        _machine.Memory.Write(new GuestPhysicalAddress(CaseState.Scratch), input.ScratchPage);
        Load(bitness, input);
        bool faulted = _machine.RunToFault(InstructionLimit);
        return Outcome(code.Length, input, faulted);
    }

    private CaseOutcome Outcome(int codeLength, CaseState input, bool faulted)
    {
        ref VcpuState s = ref _machine.Vcpu.State;
        CaseState after = Read(input);
        if (s.Activity == VcpuActivity.Halted)
        {
            // INT3 or INTO: a trap has been delivered; what it interrupted is on the handler's stack.
            int vector = (int)((s.Rip - Kernel - Handlers) / 16);
            after.Rip = _machine.Memory.Read<ulong>(new GuestPhysicalAddress(s.Rsp - Kernel));
            after.RFlags = _machine.Memory.Read<ulong>(new GuestPhysicalAddress(s.Rsp - Kernel + 16));
            after.General[4] = _machine.Memory.Read<ulong>(new GuestPhysicalAddress(s.Rsp - Kernel + 24));
            bool ended = vector == 3 && after.Rip - 1 - CaseState.CodeStart >= (ulong)codeLength; // the INT3 after the case, or at a branch's target
            if (ended) after.Rip--;
            return new CaseOutcome(after, ended ? CaseOutcome.Completed : vector, 0, 0);
        }
        if (!faulted) return new CaseOutcome(after, CaseOutcome.TimedOut, 0, 0);
        PendingException exception = _machine.Vcpu.PendingException;
        bool left = s.Rip - CaseState.CodeStart >= (ulong)codeLength; // where a branch leads, nothing can be fetched
        if (left) return new CaseOutcome(after, CaseOutcome.Completed, 0, 0);
        return new CaseOutcome(after, (int)exception.Vector, exception.ErrorCode, exception.Vector == Vector.PageFault ? exception.Address : 0);
    }

    private void Load(int bitness, CaseState input)
    {
        ref VcpuState s = ref _machine.Vcpu.State;
        s = default;
        s.Cr0 = 0x8005_0033; // PG, AM, WP, NE, ET, MP, PE, as Linux has it
        s.Cr3 = Pml4;
        s.Cr4 = 0x620; // PAE, OSFXSR, OSXMMEXCPT
        s.Efer = 0xD01; // NXE, LMA, LME, SCE
        s.Cpl = 3;
        s.GdtrBase = Kernel + Gdt;
        s.GdtrLimit = 0x7F;
        s.IdtrBase = Kernel + Idt;
        s.IdtrLimit = 0x1FF;
        for (int segment = 0; segment <= SegmentIndex.Gs; segment++)
            s.Segment(segment) = new SegmentRegister { Limit = uint.MaxValue, Selector = 0x2B, AccessRights = 0xC0F3 };
        s.Segment(SegmentIndex.Cs) = bitness == 64
            ? new SegmentRegister { Limit = uint.MaxValue, Selector = 0x33, AccessRights = 0xA0FB }
            : new SegmentRegister { Limit = uint.MaxValue, Selector = 0x23, AccessRights = 0xC0FB };
        if (bitness == 64) s.Segment(SegmentIndex.Gs).Base = CaseState.Scratch;
        s.Segment(SegmentIndex.Flat).Limit = uint.MaxValue;
        s.Segment(SegmentIndex.Tr) = new SegmentRegister { Base = Kernel + Tss, Limit = 0x67, Selector = 0x20, AccessRights = 0x8B };
        for (int register = 0; register < 16; register++)
        {
            s.General[register] = input.General[register];
            s.XmmAs<ulong>(register) = Vector128.Create((ulong)input.Xmm[register], (ulong)(input.Xmm[register] >> 64));
        }
        for (int register = 0; register < 8; register++) s.X87[register] = new X87Register { Significand = input.Mm[register], SignExponent = 0xFFFF };
        s.X87Control = 0x37F;
        s.X87Tags = input.Tags;
        s.Mxcsr = input.Mxcsr;
        s.Rip = CaseState.CodeStart;
        s.WriteRFlags(input.RFlags);
        _machine.Reload();
    }

    private CaseState Read(CaseState input)
    {
        ref VcpuState s = ref _machine.Vcpu.State;
        CaseState after = input.Clone();
        for (int register = 0; register < 16; register++)
        {
            after.General[register] = s.General[register];
            after.Xmm[register] = new UInt128(s.XmmAs<ulong>(register)[1], s.XmmAs<ulong>(register)[0]);
        }
        for (int register = 0; register < 8; register++) after.Mm[register] = s.X87[register].Significand;
        after.Tags = s.X87Tags;
        after.Mxcsr = s.Mxcsr;
        after.Rip = s.Rip;
        after.RFlags = s.ReadRFlags();
        _machine.Memory.Read(new GuestPhysicalAddress(CaseState.Scratch), after.ScratchPage);
        return after;
    }

    private void Store(ulong address, ulong value) => _machine.Memory.Write(new GuestPhysicalAddress(address), value);

    public void Dispose() => _machine.Dispose();
}
