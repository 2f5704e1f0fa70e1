using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Introspection.Locks.History;

/// <summary>Findings as sentences.</summary>
/// <param name="nameOfLock">By its address.</param>
/// <param name="nameOfTask">By its number; null: nothing is known of it.</param>
/// <param name="nameOfCode">By a return address.</param>
public sealed class LockFindingText(Func<ulong, string> nameOfLock, Func<ulong, string?> nameOfTask, Func<ulong, string> nameOfCode)
{
    /// <summary>One sentence, or a few.</summary>
    public string Of(LockFinding finding)
    {
        LockUse last = finding.Uses[^1], first = finding.Uses[0];
        string name = nameOfLock(last.Lock.Address), who = Who(finding.User);
        return finding.Kind switch
        {
            LockFindingKind.TwoHolders => $"{who} has taken {name} while {Who(first.User)} holds it, since {first.Taken} ({From(first)}): it does not exclude.",
            LockFindingKind.TakenTwice => $"{who} takes {name}, which it has held since {first.Taken} ({From(first)}).",
            LockFindingKind.ReleasedByOther => $"{who} gives back {name}, which {Who(first.User)} holds, since {first.Taken} ({From(first)}).",
            LockFindingKind.ReleasedWhileFree => $"{who} gives back {name}, which nobody holds.",
            LockFindingKind.InterruptsOn => $"Interrupts are on while {who} holds {name}, since {first.Taken} ({From(first)}): an interrupt handler that takes it would wait for ever.",
            LockFindingKind.HeldAtFailure => $"{who} holds {name} when the guest fails, since {first.Taken} ({From(first)}).",
            LockFindingKind.LostWakeUp =>
                $"Lost wake-up: {who} gives back {name}, and {Who(last.User)}, who has waited for it since {last.Wanted} ({From(last)}), never gets it, though nobody has it.",
            LockFindingKind.Deadlock => $"Deadlock: {Ring(finding.Uses)}.",
            LockFindingKind.OrderInversion => $"Taken in one order here and in another there: {Orders(finding.Uses)}. At the same time, they would wait for each other for ever.",
            LockFindingKind.ClassInversion =>
                $"Possible inversion between classes, {finding.Classes[0]} and {finding.Classes[1]}: {Orders(finding.Uses)}. "
                + "Of the same locks at the same time, they would wait for each other for ever.",
            _ => finding.Kind.ToString(),
        };
    }

    // Pairs of who holds a lock, and who waits for it.
    private string Ring(IReadOnlyList<LockUse> uses)
    {
        var text = new StringBuilder();
        for (int i = 0; i + 1 < uses.Count; i += 2)
        {
            if (i > 0) text.Append("; ");
            LockUse held = uses[i], waiting = uses[i + 1];
            text.Append(CultureInfo.InvariantCulture, $"{Who(waiting.User)} waits for {nameOfLock(waiting.Lock.Address)} since {waiting.Wanted} ({From(waiting)}), ");
            text.Append(CultureInfo.InvariantCulture, $"which {Who(held.User)} holds");
        }
        return text.ToString();
    }

    // Pairs of what was held, and what was wanted.
    private string Orders(IReadOnlyList<LockUse> uses)
    {
        var text = new StringBuilder();
        for (int i = 0; i + 1 < uses.Count; i += 2)
        {
            if (i > 0) text.Append("; ");
            LockUse held = uses[i], wanted = uses[i + 1];
            text.Append(CultureInfo.InvariantCulture,
                $"{nameOfLock(held.Lock.Address)}, then {nameOfLock(wanted.Lock.Address)} by {Who(wanted.User)} at {wanted.Wanted} ({From(wanted)})");
        }
        return text.ToString();
    }

    private string From(LockUse use) => nameOfCode(use.Caller);

    private string Who(LockUser user) => nameOfTask(user.Task) is { } task && user.Task != 0 ? $"{task} on vCPU {user.CpuIndex}" : $"vCPU {user.CpuIndex}";
}
