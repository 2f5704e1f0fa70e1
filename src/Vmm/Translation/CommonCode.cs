using System.Collections.Generic;

namespace Vmm.Translation;

/// <summary>Why generated code was left, as its exits say it.</summary>
internal static class ExitCode
{
    /// <summary>By an edge: the site's target is next.</summary>
    public const int Edge = 0;
    /// <summary>To an address that was computed; RIP has it.</summary>
    public const int Indirect = 1;
    /// <summary>Behind the site's instruction, because the machine wants to look.</summary>
    public const int Behind = 2;
    /// <summary>An instruction was executed by its handler, which ended the block or faulted.</summary>
    public const int Handler = 3;
    /// <summary>A discarded block was about to be entered; RIP has it.</summary>
    public const int Discarded = 4;
}

/// <summary>
/// The routines that all generated code of a machine shares: into it and out of it, and calls of C#. The frame register is the stack pointer, with a stack of its own below the
/// state; helpers run on the thread's real stack.
/// </summary>
internal sealed class CommonCode
{
    /// <summary>Bytes that a return address takes below the frame.</summary>
    private const int CallDepth = 8;

    /// <summary>Guest registers that live in host registers.</summary>
    private static readonly int[] s_mapped = [0, 1, 2, 3, 5, 6, 7, 8, 12, 13, 14, 4];

    private readonly CallingConvention _convention = CallingConvention.OfHost;

    /// <summary>Called from C# with the frame and an entry: runs code until it is left. Returns an <see cref="ExitCode"/>.</summary>
    public nint Enter { get; private set; }
    /// <summary>Jumped to: leaves with the room's ExitCode.</summary>
    public nint Exit { get; private set; }
    /// <summary>
    /// Called with the linear address in the address register and the site, flags settled: reads into the room's buffer, or executes the instruction by its handler and leaves.
    /// </summary>
    public nint SlowRead { get; private set; }
    /// <summary>Called when the buffer holds what is to be written; keeps the flags. Returns 5 bytes further when the machine wants to look behind the instruction.</summary>
    public nint SlowWrite { get; private set; }
    /// <summary>Called with the site: executes its instruction by its handler, and returns if the block goes on.</summary>
    public nint Execute { get; private set; }
    /// <summary>Called with the site at the top of a block: reports the breakpoint there, and returns if the block is executed.</summary>
    public nint Report { get; private set; }
    /// <summary>Called: loads the deferred flags into the host's.</summary>
    public nint LoadFlags { get; private set; }
    /// <summary>Called: the same, and the state has them.</summary>
    public nint SettleFlags { get; private set; }
    /// <summary>Called with a linear address in the address register and the number of a window in the value register: opens it there if it can. Keeps all but the flags.</summary>
    public nint OpenWindow { get; private set; }

    /// <summary>Emits them into an empty cache. The functions are addresses of C# ones that take the frame and return an int.</summary>
    public CommonCode(CodeCache cache, nint slowRead, nint slowWrite, nint execute, nint report, nint computeFlags, nint openWindow)
    {
        var e = new Emitter();
        Enter = cache.Add(e, EmitEnter);
        nint leave = cache.Add(e, EmitLeave);
        Exit = cache.Add(e, emitter =>
        {
            SaveGuest(emitter, 0);
            emitter.JumpTo(leave);
        });
        SlowRead = cache.Add(e, emitter => EmitCall(emitter, slowRead, leave, CallKind.Read));
        SlowWrite = cache.Add(e, emitter => EmitCall(emitter, slowWrite, leave, CallKind.Write));
        Execute = cache.Add(e, emitter => EmitCall(emitter, execute, leave, CallKind.Execute));
        Report = cache.Add(e, emitter => EmitCall(emitter, report, leave, CallKind.Execute));
        LoadFlags = cache.Add(e, emitter =>
        {
            EmitLoadFlags(emitter);
            EmitCall(emitter, computeFlags, leave, CallKind.Flags);
        });
        SettleFlags = cache.Add(e, emitter => EmitCall(emitter, computeFlags, leave, CallKind.Flags));
        OpenWindow = cache.Add(e, emitter => EmitCall(emitter, openWindow, leave, CallKind.Window));
    }

    /// <summary>What the routines are called, by address.</summary>
    public Dictionary<ulong, string> Names => new Dictionary<ulong, string>
    {
        [(ulong)Enter] = "enter", [(ulong)Exit] = "exit", [(ulong)SlowRead] = "slow_read", [(ulong)SlowWrite] = "slow_write", [(ulong)Execute] = "handler",
        [(ulong)Report] = "breakpoint", [(ulong)LoadFlags] = "load_flags", [(ulong)SettleFlags] = "settle_flags", [(ulong)OpenWindow] = "open_window",
    };

    private enum CallKind
    {
        Read,
        Write,
        Execute,
        Flags,
        Window,
    }

    private void EmitEnter(Emitter e)
    {
        foreach (int register in _convention.Kept) e.Push(register);
        e.Lea(8, HostRegister.Rsp, Operand.At(HostRegister.Rsp, -_convention.StackSizeBytes));
        ForKeptVectors((x, place) => e.Instruction(4, 0x0F11, x, place)); // MOVUPS
        int frame = _convention.FirstArgument;
        e.Load(8, HostRegister.Address, Operand.Of(_convention.SecondArgument));
        e.Store(8, EngineRoom.HostStackField with { Register = frame }, HostRegister.Rsp);
        e.Load(8, HostRegister.Frame, Operand.Of(frame));
        e.Instruction(4, 0x0FAE, StoreMxcsr, EngineRoom.HostMxcsrField);
        LoadGuest(e, 0);
        e.JumpThrough(Operand.Of(HostRegister.Address));
    }

    private void EmitLeave(Emitter e)
    {
        e.Load(4, HostRegister.Rax, EngineRoom.ExitCodeField);
        e.Load(8, HostRegister.Rsp, EngineRoom.HostStackField);
        ForKeptVectors((x, place) => e.Instruction(4, 0x0F10, x, place));
        e.Lea(8, HostRegister.Rsp, Operand.At(HostRegister.Rsp, _convention.StackSizeBytes));
        for (int i = _convention.Kept.Count - 1; i >= 0; i--) e.Pop(_convention.Kept[i]);
        e.Byte(0xC3);
    }

    private void ForKeptVectors(System.Action<int, Operand> emit)
    {
        for (int x = _convention.FirstKeptVector; x < 16; x++) emit(x, Operand.At(HostRegister.Rsp, _convention.ShadowSizeBytes + 16 * (x - _convention.FirstKeptVector)));
    }

    /// <summary>A routine that calls C#: the return address lies below the frame.</summary>
    private void EmitCall(Emitter e, nint function, nint leave, CallKind kind)
    {
        const int above = CallDepth;
        SaveGuest(e, above);
        e.Store(8, Up(EngineRoom.SavedAddressField, above), HostRegister.Address);
        e.Store(8, Up(EngineRoom.SavedValueField, above), HostRegister.Value);
        e.Store(8, Up(EngineRoom.SavedOtherField, above), HostRegister.Other);
        if (kind is CallKind.Read or CallKind.Window) e.Store(8, Up(EngineRoom.SlowAddressField, above), HostRegister.Address);
        if (kind == CallKind.Write) SaveHostFlags(e, above);
        e.Lea(8, _convention.FirstArgument, Operand.At(HostRegister.Rsp, above));
        e.Load(8, HostRegister.Rbx, Operand.Of(HostRegister.Rsp));
        e.Load(8, HostRegister.Rsp, EngineRoom.HostStackField with { Register = _convention.FirstArgument });
        e.LoadConstant(HostRegister.Rax, (ulong)function);
        e.CallThrough(Operand.Of(HostRegister.Rax));
        e.Load(8, HostRegister.Rsp, Operand.Of(HostRegister.Rbx));
        if (kind is CallKind.Execute or CallKind.Read)
        {
            var goesOn = e.NewLabel();
            e.Test(4, Operand.Of(HostRegister.Rax), HostRegister.Rax);
            e.JumpIf(Condition.Equal, goesOn);
            e.StoreImmediate(4, Up(EngineRoom.ExitCodeField, above), ExitCode.Handler);
            e.Lea(8, HostRegister.Rsp, Operand.At(HostRegister.Rsp, above));
            e.JumpTo(leave);
            e.Bind(goesOn);
        }
        else if (kind == CallKind.Write)
        {
            var goesOn = e.NewLabel();
            e.Test(4, Operand.Of(HostRegister.Rax), HostRegister.Rax);
            e.JumpIf(Condition.Equal, goesOn);
            e.AluImmediate(AluOperation.Add, 8, Operand.At(HostRegister.Rsp), 5);
            e.Bind(goesOn);
        }
        if (kind is CallKind.Write or CallKind.Flags) RestoreHostFlags(e, above);
        LoadGuest(e, above);
        e.Load(8, HostRegister.Address, Up(EngineRoom.SavedAddressField, above));
        e.Load(8, HostRegister.Value, Up(EngineRoom.SavedValueField, above));
        e.Load(8, HostRegister.Other, Up(EngineRoom.SavedOtherField, above));
        e.Byte(0xC3);
    }

    /// <summary>
    /// What comparisons, sums and logic leave is computed by doing them again, also where a bit test has changed CF since or a DEC all but CF; whatever else there is goes on to what
    /// comes behind.
    /// </summary>
    private static void EmitLoadFlags(Emitter e)
    {
        Operand kindNow = Operand.Of(HostRegister.Value);
        (FlagKind Kind, int SizeBytes)[] whole =
        [
            (FlagKind.Compare, 8), (FlagKind.Compare, 4), (FlagKind.Test, 8), (FlagKind.Test, 4), (FlagKind.Logic, 8), (FlagKind.Logic, 4), (FlagKind.Subtract, 8),
            (FlagKind.Subtract, 4), (FlagKind.Add, 8), (FlagKind.Add, 4), (FlagKind.Compare, 1), (FlagKind.Test, 1), (FlagKind.Logic, 1),
        ];
        e.Load(4, HostRegister.Value, Up(EngineRoom.FlagKindField, CallDepth));
        foreach ((FlagKind kind, int size) in whole) When(DeferredFlags.Encode(kind, size), () => Again(kind, size));
        When(DeferredFlags.Encode(FlagKind.Add, 8) | DeferredFlags.OtherCarry, () =>
        {
            var clear = e.NewLabel();
            e.TestImmediate(1, Up(EngineRoom.OtherCarryField, CallDepth), 0xFF);
            e.JumpIf(Condition.Equal, clear);
            Again(FlagKind.Add, 8);
            e.Byte(0xF9); // STC
            e.Byte(0xC3);
            e.Bind(clear);
            Again(FlagKind.Add, 8);
            e.Byte(0xF8); // CLC
        });
        When(DeferredFlags.Encode(FlagKind.Compare, 4) | DeferredFlags.EncodeIncrement(true, 4).Set, () =>
        {
            Again(FlagKind.Compare, 4);
            e.Load(8, HostRegister.Value, Up(EngineRoom.FlagIncrementField, CallDepth));
            e.Lea(8, HostRegister.Value, Operand.At(HostRegister.Value, 1));
            e.Increment(1, 4, Operand.Of(HostRegister.Value));
        });

        void When(int kind, System.Action compute)
        {
            var next = e.NewLabel();
            e.AluImmediate(AluOperation.Cmp, 4, kindNow, kind);
            e.JumpIf(Condition.NotEqual, next);
            compute();
            e.Byte(0xC3);
            e.Bind(next);
        }

        void Again(FlagKind kind, int size)
        {
            Operand y = Up(EngineRoom.FlagYField, CallDepth);
            e.Load(8, HostRegister.Value, Up(EngineRoom.FlagXField, CallDepth));
            switch (kind)
            {
                case FlagKind.Compare: e.Alu(AluOperation.Cmp, size, HostRegister.Value, y); break;
                case FlagKind.Test: e.Test(size, y, HostRegister.Value); break;
                case FlagKind.Logic: e.Test(size, Operand.Of(HostRegister.Value), HostRegister.Value); break;
                case FlagKind.Subtract:
                    e.Alu(AluOperation.Add, size, HostRegister.Value, y);
                    e.Alu(AluOperation.Cmp, size, HostRegister.Value, y);
                    break;
                default:
                    e.Alu(AluOperation.Sub, size, HostRegister.Value, y);
                    e.Alu(AluOperation.Add, size, HostRegister.Value, y);
                    break;
            }
        }
    }

    private static Operand Up(Operand field, int above) => field with { Displacement = field.Displacement + above };

    // MXCSR is the guest's while generated code runs, and C#'s otherwise: SDM 2A, LDMXCSR and STMXCSR.
    private const int LoadMxcsr = 2, StoreMxcsr = 3;

    private static void SaveGuest(Emitter e, int above)
    {
        e.Instruction(4, 0x0FAE, StoreMxcsr, Up(StateField.Mxcsr, above));
        e.Instruction(4, 0x0FAE, LoadMxcsr, Up(EngineRoom.HostMxcsrField, above));
        foreach (int guest in s_mapped) e.Store(8, Up(StateField.General(guest), above), HostRegister.OfGuest(guest));
        for (int x = 0; x < 16; x++) e.Instruction(4, 0x0F11, x, Up(StateField.Xmm(x), above)); // MOVUPS
    }

    private static void LoadGuest(Emitter e, int above)
    {
        e.Instruction(4, 0x0FAE, LoadMxcsr, Up(StateField.Mxcsr, above));
        for (int x = 0; x < 16; x++) e.Instruction(4, 0x0F10, x, Up(StateField.Xmm(x), above));
        foreach (int guest in s_mapped) e.Load(8, HostRegister.OfGuest(guest), Up(StateField.General(guest), above));
    }

    /// <summary>RAX has been saved.</summary>
    private static void SaveHostFlags(Emitter e, int above)
    {
        e.Byte(0x9F); // LAHF
        e.SetIf(Condition.Overflow, Operand.Of(HostRegister.Rax));
        e.Store(2, Up(EngineRoom.HostFlagsField, above), HostRegister.Rax);
    }

    private static void RestoreHostFlags(Emitter e, int above)
    {
        e.LoadZeroExtended(2, HostRegister.Rax, Up(EngineRoom.HostFlagsField, above));
        // AL is 1 for OF: 1 + 7F overflows.
        e.AluImmediate(AluOperation.Add, 1, Operand.Of(HostRegister.Rax), 0x7F);
        e.Byte(0x9E); // SAHF
    }
}
