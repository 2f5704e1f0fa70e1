using System;
using Dap.Protocol;

namespace Dap.Sessions;

/// <summary>Everything that makes the machine go, forwards and backwards: the answer first, then the run, then one stop.</summary>
internal sealed class ExecutionRequests
{
    private readonly Session _session;
    private readonly Runner _runner;
    private readonly Stepper _stepper;

    public ExecutionRequests(Session session, RequestTable requests)
    {
        _session = session;
        _runner = new Runner(session);
        _stepper = new Stepper(session, _runner);
        requests.Add<ContinueArguments>(Commands.Continue, a => Continue(a.ThreadId));
        requests.Add<ReverseContinueArguments>(Commands.ReverseContinue, a => Back("going back", a.ThreadId, cpu => _runner.Run(false, cpu)));
        requests.Add<NextArguments>(Commands.Next, a => Go(a.ThreadId, _stepper.Over));
        requests.Add<StepInArguments>(Commands.StepIn, a => Go(a.ThreadId, _stepper.Into));
        requests.Add<StepOutArguments>(Commands.StepOut, a => Go(a.ThreadId, _stepper.Out));
        requests.Add<StepBackArguments>(Commands.StepBack, a => Back("stepping back", a.ThreadId, _stepper.BackOver));
        requests.Add<TtvmThreadArguments>("ttvm/reverseStepIn", a => Back("stepping back", a.ThreadId, _stepper.BackInto));
        requests.Add<TtvmThreadArguments>("ttvm/reverseStepOut", a => Back("stepping back", a.ThreadId, _stepper.BackOut));
        // The reader's thread has ended the run, if there was one; that run has said that it stopped.
        requests.Add<PauseArguments>(Commands.Pause, _ => Answer.Empty);
    }

    private Answer Continue(long threadId)
    {
        int cpu = _session.CpuOfThread(threadId);
        return Answer.Of(new ContinueResponseBody { AllThreadsContinued = true }, () => Do(cpu, c => _runner.Run(true, c)));
    }

    private Answer Go(long threadId, Func<int, StopReport> move)
    {
        int cpu = _session.CpuOfThread(threadId);
        return Answer.After(() => Do(cpu, move));
    }

    private Answer Back(string what, long threadId, Func<int, StopReport> move)
    {
        _session.RequireRecording(what);
        return Go(threadId, move);
    }

    // The answer has said that it runs: whatever happens, a stop has to follow.
    private void Do(int cpu, Func<int, StopReport> move)
    {
        var report = new StopReport("exception", "The run failed", cpu);
        try
        {
            report = move(cpu);
        }
        catch (RequestException e)
        {
            _session.Print(char.ToUpperInvariant(e.Message[0]) + e.Message[1..] + ".", "important");
            report = new StopReport("pause", "Did not move", cpu);
        }
        catch (Replay.Replaying.ReplayDivergenceException e)
        {
            _session.Print(e.Message, "important");
            report = new StopReport("exception", "The replay differs from the recording", cpu);
        }
        finally
        {
            _session.Stopped(report);
        }
    }
}
