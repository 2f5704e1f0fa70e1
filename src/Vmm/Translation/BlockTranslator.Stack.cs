using Iced.Intel;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>PUSH, POP and LEAVE.</summary>
internal sealed partial class BlockTranslator
{
    private void Push()
    {
        ref readonly Instruction i = ref Current;
        bool register = i.Op0Kind == OpKind.Register;
        int guest = register ? GuestOf(i.Op0Register) : 0, value = register ? 0 : ImmediateOf(i, 0);
        PushWord(() =>
        {
            if (register) _e.Store(WordSize, Target, InRegister(guest, HostRegister.Value));
            else _e.StoreImmediate(WordSize, Target, value);
        });
    }

    private void PushMemory()
    {
        Buffered(Access.Read, WordSize, () =>
        {
            _e.Load(WordSize, HostRegister.Value, Target);
            _e.Store(8, EngineRoom.TargetField, HostRegister.Value);
        });
        PushWord(() =>
        {
            _e.Load(WordSize, HostRegister.Value, EngineRoom.TargetField);
            _e.Store(WordSize, Target, HostRegister.Value);
        });
    }

    /// <summary>Stores a word below the stack pointer, and moves that.</summary>
    private void PushWord(System.Action store) => Simple(Access.Write, WordSize, () =>
    {
        BeforeWrite(Rsp);
        store();
        MoveStackPointer(-WordSize);
    }, BelowStackPointer);

    private void BelowStackPointer() => _e.Lea(WordSize, HostRegister.Address, Operand.At(HostRegister.OfGuest(Rsp), -WordSize));

    private void AtStackPointer() => _e.Load(WordSize, HostRegister.Address, Operand.Of(HostRegister.OfGuest(Rsp)));

    private void MoveStackPointer(int by)
    {
        int rsp = HostRegister.OfGuest(Rsp);
        _e.Lea(WordSize, rsp, Operand.At(rsp, by));
    }

    private void Pop()
    {
        int guest = GuestOf(Current.Op0Register);
        PopWord(() =>
        {
            BeforeWrite(guest);
            int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Value;
            _e.Load(WordSize, register, Target);
            if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
        });
    }

    private void PopWord(System.Action load) => Simple(Access.Read, WordSize, () =>
    {
        BeforeWrite(Rsp);
        load();
        MoveStackPointer(WordSize);
    }, AtStackPointer);

    private void Leave() => Simple(Access.Read, WordSize, () =>
    {
        BeforeWrite(Rsp);
        BeforeWrite(Rbp);
        _e.Lea(WordSize, HostRegister.OfGuest(Rsp), Operand.At(HostRegister.Rbp, WordSize));
        _e.Load(WordSize, HostRegister.Rbp, Target);
    }, () => _e.Load(WordSize, HostRegister.Address, Operand.Of(HostRegister.Rbp)), window: TlbWindow.OfBasePointer);
}
