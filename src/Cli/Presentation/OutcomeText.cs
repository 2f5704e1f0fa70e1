using Introspection.Text;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>How a machine's life ended, in a sentence.</summary>
internal static class OutcomeText
{
    public static string Describe(Outcome outcome) => outcome.Kind switch
    {
        OutcomeKind.None => "still running: the recording was stopped",
        OutcomeKind.PowerOff => "the guest powered off",
        OutcomeKind.Reset => "the guest reset the machine, which ends a recording",
        OutcomeKind.DebugExit => $"the guest ended through its debug-exit port with code 0x{outcome.Code:x}",
        OutcomeKind.Halted => "every vCPU is halted for ever: no timer is armed and no input is to come",
        OutcomeKind.TripleFault => PrintableText.Of(outcome.Detail),
        OutcomeKind.Unimplemented => PrintableText.Of(outcome.Detail),
        _ => $"{outcome.Kind} {PrintableText.Of(outcome.Detail)}",
    };

    /// <summary>The guest ran into something that no sane guest does.</summary>
    public static bool IsFailure(Outcome outcome) => outcome.Kind is OutcomeKind.TripleFault or OutcomeKind.Unimplemented;
}
