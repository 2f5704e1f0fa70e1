namespace Vmm.Platform;

/// <summary>What executes a machine's instructions. No engine can be told from another by the guest, or in a recording.</summary>
public enum EngineKind
{
    /// <summary>The translator for code that is warm where the host allows it, else the interpreter.</summary>
    Auto = 0,
    /// <summary>Only the interpreter, the reference.</summary>
    Interpreter = 1,
    /// <summary>The translator from the first execution of a block on.</summary>
    Translator = 2,
    /// <summary>The same with blocks of one instruction: nothing is carried from one to the next but the state. To find out where the translator goes wrong.</summary>
    TranslatorOfSingleInstructions = 3,
    /// <summary>The translator from the second execution of a block on, when it is known what follows: as many traces as there can be.</summary>
    TranslatorOfTraces = 4,
}
