using System;
using Iced.Intel;

namespace Vmm.Translation;

/// <summary>Where control goes.</summary>
internal sealed partial class BlockTranslator
{
    private void BranchIf()
    {
        Condition condition = ConditionOf(Current);
        ulong target = Current.NearBranchTarget;
        NeedHostFlags(HostFlag.Of(condition));
        if (target <= Current.IP)
        {
            // Backwards there is a loop, which is gone round more often than left.
            FlagTrack before = _flags;
            var outOfLoop = _e.NewLabel();
            _e.JumpIf((Condition)((int)condition ^ 1), outOfLoop);
            Edge(target, _index + 1);
            _e.Bind(outOfLoop);
            _flags = before;
            return;
        }
        var taken = _e.NewLabel();
        _e.JumpIf(condition, taken);
        Later(() =>
        {
            _e.Bind(taken);
            Edge(target, _index + 1);
        });
    }

    /// <summary>
    /// Goes on at an address that is known, after so many of the block's instructions. On the same page that is a jump to its code, once there is some; on another page, which may
    /// be mapped differently by then, through the jump cache.
    /// </summary>
    private void Edge(ulong target, int executed)
    {
        if (!Is64) target = (uint)target;
        bool goesRound = target == _block.Rip && _block.SecondPage < 0;
        if (goesRound && TryGoRound(executed)) return;
        Settle();
        HostFlagsLost();
        int site = AddSite(target: target);
        var leave = _e.NewLabel();
        Spend(executed);
        if (goesRound)
        {
            _e.JumpIf(Condition.NotSign, Label.AtStart);
            Exit(ExitCode.Edge, site);
            return;
        }
        if (target >> 12 == _block.Rip >> 12 && _block.SecondPage < 0)
        {
            // Until it is known where to, it leads to what follows it.
            _e.JumpIf(Condition.NotSign, leave);
            sites.SetPatchAddress(site, _e.Address + _e.Position - sizeof(int));
        }
        else
        {
            _e.JumpIf(Condition.Sign, leave);
            int entry = JumpCacheEntry.IndexOf(target) << JumpCacheEntry.SizeLog2;
            _e.LoadConstant(HostRegister.Value, target);
            _e.Load(8, HostRegister.Other, EngineRoom.JumpCacheField);
            _e.Alu(AluOperation.Cmp, 8, HostRegister.Value, Operand.At(HostRegister.Other, entry));
            _e.JumpIf(Condition.NotEqual, leave);
            _e.JumpThrough(Operand.At(HostRegister.Other, entry + 8));
        }
        _e.Bind(leave);
        Exit(ExitCode.Edge, site);
    }

    /// <summary>Takes executed instructions off the budget; the sign flag is set when it is used up.</summary>
    private void Spend(int executed) => _e.AluImmediate(AluOperation.Sub, 8, EngineRoom.BudgetField, executed);

    /// <summary>True: the block ends here.</summary>
    private bool Call()
    {
        ulong target = Current.NearBranchTarget;
        PushReturnAddress(() =>
        {
            Spend(_index + 1);
            Exit(ExitCode.Edge, AddSite(target: Is64 ? target : (uint)target));
        });
        if (GoesOn) return false;
        Edge(target, _index + 1);
        return true;
    }

    private void PushReturnAddress(Action leaveBehind)
    {
        ulong next = Current.NextIP;
        Buffered(Access.Write, WordSize, () =>
        {
            BeforeWrite(Rsp);
            if (!Is64 || (long)next == (int)next) _e.StoreImmediate(WordSize, Target, (int)next);
            else
            {
                _e.LoadConstant(HostRegister.Value, next);
                _e.Store(8, Target, HostRegister.Value);
            }
            MoveStackPointer(-WordSize);
        }, BelowStackPointer, leaveBehind);
    }

    private void CallIndirect()
    {
        Settle();
        if (Current.Op0Kind == OpKind.Memory) Simple(Access.Read, WordSize, () => _e.Load(WordSize, HostRegister.Value, Target));
        else _e.Load(WordSize, HostRegister.Value, OperandOf(GuestOf(Current.Op0Register)));
        var miss = _e.NewLabel();
        var outOfBudget = _e.NewLabel();
        LookInJumpCache(miss);
        _e.Lea(8, HostRegister.Other, JumpCacheEntryAt(0));
        // The entry rather than the target: an entry's code may be thrown away meanwhile, which its first instruction tells.
        _e.Store(8, EngineRoom.TargetField, HostRegister.Other);
        PushReturnAddress(() =>
        {
            Spend(_index + 1);
            LeaveForEntry();
        });
        Spend(_index + 1);
        _e.JumpIf(Condition.Sign, outOfBudget);
        _e.Load(8, HostRegister.Other, EngineRoom.TargetField);
        _e.JumpThrough(Operand.At(HostRegister.Other, 8));
        Later(() =>
        {
            _e.Bind(outOfBudget);
            LeaveForEntry();
        });
        Later(() =>
        {
            _e.Bind(miss);
            RequireCanonical();
            _e.Store(8, EngineRoom.TargetField, HostRegister.Value);
            PushReturnAddress(LeaveForTarget);
            LeaveForTarget();
        });

        void LeaveForEntry()
        {
            _e.Load(8, HostRegister.Other, EngineRoom.TargetField);
            _e.Load(8, HostRegister.Value, Operand.At(HostRegister.Other));
            _e.Store(8, StateField.Rip, HostRegister.Value);
            Exit(ExitCode.Indirect, AddSite());
        }

        void LeaveForTarget()
        {
            _e.Load(8, HostRegister.Value, EngineRoom.TargetField);
            _e.Store(8, StateField.Rip, HostRegister.Value);
            Spend(_index + 1);
            Exit(ExitCode.Indirect, AddSite());
        }
    }

    private void JumpIndirect()
    {
        ref readonly Instruction i = ref Current;
        Settle();
        if (i.Op0Kind == OpKind.Memory)
        {
            Buffered(Access.Read, WordSize, () =>
            {
                _e.Load(WordSize, HostRegister.Value, Target);
                // A table of targets is there because they change.
                Indirect(0, hasInlineCache: Current.MemoryIndex == Register.None);
            });
            return;
        }
        _e.Load(WordSize, HostRegister.Value, OperandOf(GuestOf(i.Op0Register)));
        Indirect(0, hasInlineCache: true);
    }

    /// <summary>True: the block ends here.</summary>
    private bool Return()
    {
        if (GoesOn)
        {
            ReturnInTrace();
            return false;
        }
        Settle();
        Buffered(Access.Read, WordSize, () =>
        {
            _e.Load(WordSize, HostRegister.Value, Target);
            MoveStackPointer(WordSize);
            Indirect(WordSize, hasInlineCache: true);
        }, AtStackPointer);
        return true;
    }

    /// <summary>From what a trace has called: to behind the call, unless the guest has changed the return address.</summary>
    private void ReturnInTrace()
    {
        ulong expected = _instructions[_index + 1].IP;
        Buffered(Access.Read, WordSize, () =>
        {
            var elsewhere = _e.NewLabel();
            BeforeWrite(Rsp);
            _e.Load(WordSize, HostRegister.Value, Target);
            MoveStackPointer(WordSize);
            if (!Is64 || (long)expected == (int)expected) _e.AluImmediate(AluOperation.Cmp, WordSize, Operand.Of(HostRegister.Value), (int)expected);
            else
            {
                _e.LoadConstant(HostRegister.Other, expected);
                _e.Alu(AluOperation.Cmp, 8, HostRegister.Other, Operand.Of(HostRegister.Value));
            }
            HostFlagsLost();
            _e.JumpIf(Condition.NotEqual, elsewhere);
            Later(() =>
            {
                _e.Bind(elsewhere);
                if (_flags.Place == FlagPlace.Sources)
                {
                    _e.Store(8, EngineRoom.TargetField, HostRegister.Value);
                    Settle();
                    _e.Load(8, HostRegister.Value, EngineRoom.TargetField);
                }
                Indirect(WordSize, hasInlineCache: true);
            });
        }, AtStackPointer);
    }

    /// <summary>A target in the value register that no code can be at faults before anything is done: the handler knows how.</summary>
    private void RequireCanonical()
    {
        if (!Is64) return;
        var wrong = _e.NewLabel();
        CompareWithCanonical();
        _e.JumpIf(Condition.NotEqual, wrong);
        HostFlagsLost();
        Later(() =>
        {
            _e.Bind(wrong);
            ExecuteByHandler();
        });
    }

    private void CompareWithCanonical()
    {
        _e.Load(8, HostRegister.Other, Operand.Of(HostRegister.Value));
        _e.Shift(4, 8, Operand.Of(HostRegister.Other), 16);
        _e.Shift(7, 8, Operand.Of(HostRegister.Other), 16);
        _e.Alu(AluOperation.Cmp, 8, HostRegister.Other, Operand.Of(HostRegister.Value));
    }

    /// <summary>Finds the jump cache's entry of the address in the value register (<see cref="JumpCacheEntryAt"/>), or jumps to <paramref name="miss"/>.</summary>
    private void LookInJumpCache(Label miss)
    {
        HostFlagsLost();
        ShiftRightInto(HostRegister.Other, HostRegister.Value, JumpCacheEntry.PageShift);
        _e.Load(8, HostRegister.Address, EngineRoom.JumpCacheField);
        _e.Alu(AluOperation.Xor, 4, HostRegister.Other, Operand.Of(HostRegister.Value));
        _e.AluImmediate(AluOperation.And, 4, Operand.Of(HostRegister.Other), JumpCacheEntry.HashMask);
        _e.Alu(AluOperation.Cmp, 8, HostRegister.Value, JumpCacheEntryAt(0));
        _e.JumpIf(Condition.NotEqual, miss);
    }

    /// <summary>Of the entry that was found. The hash has an even number for each entry, so that it is an index of words.</summary>
    private static Operand JumpCacheEntryAt(int offset) => Operand.At(HostRegister.Address, HostRegister.Other, 3, offset);

    /// <summary>
    /// Goes on at the address in the value register, through an inline cache where that is promising, and the jump cache. Code that is known has a canonical address; another is checked,
    /// after <paramref name="popped"/> bytes were taken off the stack.
    /// </summary>
    private void Indirect(int popped, bool hasInlineCache)
    {
        int executed = _index + 1, site = AddSite();
        var miss = _e.NewLabel();
        var fill = _e.NewLabel();
        HostFlagsLost();
        Spend(executed);
        _e.JumpIf(Condition.Sign, miss);
        if (hasInlineCache)
        {
            sites.SetPatchAddress(site, _e.Address + _e.Position);
            InlineCache.Emit(_e, fill);
        }
        LookInJumpCache(miss);
        _e.JumpThrough(JumpCacheEntryAt(8));
        Later(() =>
        {
            if (hasInlineCache)
            {
                _e.Bind(fill);
                _fills.Add(_e.Position);
                _e.StoreImmediate(4, EngineRoom.OpenInlineCacheField, site);
            }
            _e.Bind(miss);
            var wrong = _e.NewLabel();
            if (Is64)
            {
                CompareWithCanonical();
                _e.JumpIf(Condition.NotEqual, wrong);
            }
            _e.Store(8, StateField.Rip, HostRegister.Value);
            Exit(ExitCode.Indirect, site);
            if (!Is64) return;
            _e.Bind(wrong);
            if (popped != 0) MoveStackPointer(-popped);
            Spend(-executed);
            ExecuteByHandler();
        });
    }
}
