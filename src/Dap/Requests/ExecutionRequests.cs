using System;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Stepping;

namespace Dap.Requests;

/// <summary>Everything that makes the machine go, forwards and backwards: the answer first, then the run, then one stop.</summary>
internal sealed class ExecutionRequests
{
    private readonly Session _session;
    private readonly Runner _runner;
    private readonly Stepper _instructions;
    private readonly LineStepper _lines;

    public ExecutionRequests(Session session, RequestTable requests)
    {
        _session = session;
        _runner = new Runner(session);
        _instructions = new Stepper(session, _runner);
        _lines = new LineStepper(session, _runner, _instructions);
        requests.Add<ContinueArguments>(Commands.Continue, a => Continue(a.ThreadId));
        requests.Add<ReverseContinueArguments>(Commands.ReverseContinue, a => Back(a.ThreadId, cpu => _runner.Run(false, cpu), "going back"));
        requests.Add<NextArguments>(Commands.Next, a => Go(a.ThreadId, By(a.Granularity, _lines.Over, _instructions.Over)));
        requests.Add<StepInArguments>(Commands.StepIn, a => Go(a.ThreadId, By(a.Granularity, _lines.Into, _instructions.Into)));
        requests.Add<StepOutArguments>(Commands.StepOut, a => Go(a.ThreadId, By(a.Granularity, _lines.Out, _instructions.Out)));
        requests.Add<StepBackArguments>(Commands.StepBack, a => Back(a.ThreadId, By(a.Granularity, _lines.BackOver, _instructions.BackOver)));
        requests.Add<TtvmThreadArguments>("ttvm/reverseStepIn", a => Back(a.ThreadId, By(a.Granularity, _lines.BackInto, _instructions.BackInto)));
        requests.Add<TtvmThreadArguments>("ttvm/reverseStepOut", a => Back(a.ThreadId, By(a.Granularity, _lines.BackOut, _instructions.BackOut)));
        // The reader's thread has ended the run, if there was one; that run has said that it stopped.
        requests.Add<PauseArguments>(Commands.Pause, _ => Answer.Empty);
    }

    private Answer Continue(long threadId)
    {
        int cpu = _session.CpuOfThread(threadId);
        return Answer.Of(new ContinueResponseBody { AllThreadsContinued = true }, () => Move(_session, cpu, c => _runner.Run(true, c)));
    }

    private Answer Go(long threadId, Func<int, StopReport> move)
    {
        int cpu = _session.CpuOfThread(threadId);
        return Answer.After(() => Move(_session, cpu, move));
    }

    // Most clients send a granularity only while their disassembly has the focus; some always send `statement`, and mean lines, as nearly all debuggers do.
    private Func<int, StopReport> By(string? granularity, Func<int, StepUnit, StopReport> bySource, Func<int, StopReport> byInstruction) =>
        granularity == "instruction" ? byInstruction : cpu => bySource(cpu, granularity == "line" ? StepUnit.Line : _session.StepUnit);

    private Answer Back(long threadId, Func<int, StopReport> move, string what = "stepping back")
    {
        _session.RequireRecording(what);
        return Go(threadId, move);
    }

    /// <summary>Does a movement that the client was told of: whatever happens, a stop has to follow.</summary>
    public static void Move(Session session, int cpu, Func<int, StopReport> move)
    {
        var report = new StopReport("exception", "The run failed", cpu);
        try
        {
            report = move(cpu);
        }
        catch (RequestException e)
        {
            session.Print(char.ToUpperInvariant(e.Message[0]) + e.Message[1..] + ".", "important");
            report = new StopReport("pause", "Did not move", cpu);
        }
        catch (Replay.Replaying.ReplayDivergenceException e)
        {
            session.Print(e.Message, "important");
            report = new StopReport("exception", "The replay differs from the recording", cpu);
        }
        catch (Replay.Redaction.RedactedPositionException e)
        {
            session.Print(char.ToUpperInvariant(e.Message[0]) + e.Message[1..] + ".", "important");
            report = new StopReport("pause", "Did not move", cpu);
        }
        finally
        {
            session.Stopped(report);
        }
    }
}
