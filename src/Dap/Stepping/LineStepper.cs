using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Programs;
using Replay.Queries;
using Replay.Timelines;

namespace Dap.Stepping;

/// <summary>
/// Steps of one vCPU by source lines or statements, in both directions; by instructions (<see cref="Stepper"/>) where the code has no lines. Where lines begin is what the line
/// table calls a statement; inlined calls are calls.
/// </summary>
internal sealed class LineStepper(Session session, Runner runner, Stepper instructions)
{
    public StopReport Over(int cpuIndex, StepUnit unit) => HasLine(cpuIndex) ? Forward(cpuIndex, LineStep.Over, unit) : instructions.Over(cpuIndex);

    public StopReport Into(int cpuIndex, StepUnit unit) => HasLine(cpuIndex) ? Forward(cpuIndex, LineStep.Into, unit) : instructions.Into(cpuIndex);

    /// <summary>To the caller, right behind the call; out of an inlined call, to what it was inlined into.</summary>
    public StopReport Out(int cpuIndex, StepUnit unit) => IsInlined(cpuIndex) ? Forward(cpuIndex, LineStep.Out, unit) : instructions.Out(cpuIndex);

    public StopReport BackOver(int cpuIndex, StepUnit unit) => HasLine(cpuIndex) ? Backward(cpuIndex, LineStep.Over, unit) : instructions.BackOver(cpuIndex);

    public StopReport BackInto(int cpuIndex, StepUnit unit) => HasLine(cpuIndex) ? Backward(cpuIndex, LineStep.Into, unit) : instructions.BackInto(cpuIndex);

    /// <summary>To the call that made the innermost frame; out of an inlined call, to the line that it was entered from.</summary>
    public StopReport BackOut(int cpuIndex, StepUnit unit) => IsInlined(cpuIndex) ? Backward(cpuIndex, LineStep.Out, unit) : instructions.BackOut(cpuIndex);

    private StopReport Forward(int cpuIndex, LineStep kind, StepUnit unit)
    {
        session.Activity.Title("Stepping");
        return new ForwardWalk(session, runner, cpuIndex, kind, unit).Run();
    }

    private StopReport Backward(int cpuIndex, LineStep kind, StepUnit unit)
    {
        session.Activity.Title("Stepping back");
        return new BackwardWalk(session, runner, cpuIndex, kind, unit).Run();
    }

    private bool HasLine(int cpuIndex) => PlaceOf(cpuIndex).HasLine;

    private bool IsInlined(int cpuIndex) => PlaceOf(cpuIndex).Inlined.Count > 0;

    private CodePlace PlaceOf(int cpuIndex) => session.SymbolsOf(cpuIndex).PlaceOf(session.ViewOf(cpuIndex).CodeAddress);
}
