namespace Vmm.Translation;

/// <summary>What a machine's translator has done so far.</summary>
public sealed class TranslationCounters
{
    /// <summary>Times that generated code was entered from C#.</summary>
    public long Entries;
    /// <summary>How it was left, by <see cref="ExitCode"/>.</summary>
    public long EdgeExits, IndirectExits, BehindExits, HandlerExits, DiscardedExits;
    /// <summary>Exits by an edge because the budget was used up.</summary>
    public long BudgetExits;
    /// <summary>Accesses that the TLB did not know.</summary>
    public long SlowReads, SlowWrites;
    /// <summary>Times that a window for loads was to be opened elsewhere.</summary>
    public long WindowsOpened;
    /// <summary>Instructions executed by their handlers from generated code.</summary>
    public long HandlerCalls;
    /// <summary>Breakpoints reported from generated code.</summary>
    public long Reports;
    /// <summary>Times that the flags had to be worked out.</summary>
    public long FlagCalls;
    /// <summary>Blocks and guest instructions translated, bytes of code made, times that all code was thrown away.</summary>
    public long Blocks, Instructions, CodeBytes, Clears;
}
