using System;
using System.Collections.Generic;
using Dap.Requests;
using Dap.Stepping;

namespace Dap.Sessions.Repl;

/// <summary>Steps and runs in both directions, under gdb's names.</summary>
internal sealed class RunCommands
{
    private readonly Session _session;
    private readonly Runner _runner;
    private readonly Stepper _instructions;
    private readonly LineStepper _lines;

    public RunCommands(Session session)
    {
        _session = session;
        _runner = new Runner(session);
        _instructions = new Stepper(session, _runner);
        _lines = new LineStepper(session, _runner, _instructions);
    }

    public IReadOnlyList<ConsoleCommand> All =>
    [
        Forward("continue", "run to the next stop", cpu => _runner.Run(true, cpu), "c"),
        Forward("step", "to the next line, into calls", cpu => _lines.Into(cpu, StepUnit.Line), "s"),
        Forward("next", "to the next line, over calls", cpu => _lines.Over(cpu, StepUnit.Line), "n"),
        Forward("finish", "to the caller", cpu => _lines.Out(cpu, StepUnit.Line), "fin"),
        Forward("stepi", "one instruction", _instructions.Into, "si"),
        Forward("nexti", "one instruction, over calls", _instructions.Over, "ni"),
        Backward("reverse-continue", "run backwards to the last stop", cpu => _runner.Run(false, cpu), "rc"),
        Backward("reverse-step", "back to the line before, into calls", cpu => _lines.BackInto(cpu, StepUnit.Line), "rs"),
        Backward("reverse-next", "back to the line before, over calls", cpu => _lines.BackOver(cpu, StepUnit.Line), "rn"),
        Backward("reverse-finish", "back to the call", cpu => _lines.BackOut(cpu, StepUnit.Line), "rfin"),
        Backward("reverse-stepi", "back by one instruction", _instructions.BackInto, "rsi"),
        Backward("reverse-nexti", "back by one instruction, over calls", _instructions.BackOver, "rni"),
    ];

    private ConsoleCommand Forward(string name, string help, Func<int, StopReport> move, string alias) => new(name, help, line => Go(line, move)) { Aliases = [alias] };

    private ConsoleCommand Backward(string name, string help, Func<int, StopReport> move, string alias) => new(name, help, line =>
    {
        _session.RequireRecording("going back");
        return Go(line, move);
    }) { Aliases = [alias] };

    // As for a request: first the answer, then the run, then one stop.
    private ConsoleResult Go(CommandLine line, Func<int, StopReport> move)
    {
        if (line.Rest.Length > 0) throw line.Command.Misused();
        int cpu = line.View.Vcpu.Index;
        return new ConsoleResult("", () =>
        {
            _session.Continued(cpu);
            ExecutionRequests.Move(_session, cpu, move);
        });
    }
}
