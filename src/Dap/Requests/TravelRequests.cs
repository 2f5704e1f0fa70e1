using System;
using Dap.Protocol;
using Dap.Sessions;
using Replay.Timelines;
using Symbols.Expressions;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>Requests of our own: going to a position, to the last or next write, and back from a diversion.</summary>
internal sealed class TravelRequests
{
    private readonly Travel _travel;

    public TravelRequests(Session session, RequestTable requests)
    {
        _travel = new Travel(session);
        requests.Add("ttvm/position", () => Answer.Of(session.Where()));
        requests.Add<TtvmSeekArguments>("ttvm/seek", a =>
        {
            StopReport report = _travel.Seek(a.Position);
            return Answer.Of(session.Where(), () => session.Moved(report));
        });
        requests.Add<TtvmWriteArguments>("ttvm/lastWrite", a => Find(session, a, isForward: false));
        requests.Add<TtvmWriteArguments>("ttvm/nextWrite", a => Find(session, a, isForward: true));
        requests.Add("ttvm/returnToRecording", () =>
        {
            StopReport report = _travel.Return();
            return Answer.Of(session.Where(), () => session.Moved(report));
        });
    }

    private Answer Find(Session session, TtvmWriteArguments arguments, bool isForward)
    {
        (bool found, string description, StopReport report) = _travel.Write(arguments.Address, arguments.Bytes, isForward);
        var answer = new TtvmFound { Found = found, Position = session.Machine.Position.ToString(), Description = description };
        return found ? Answer.Of(answer, () => session.Moved(report)) : Answer.Of(answer);
    }
}

/// <summary>Goes elsewhere in the recording. The caller tells the client.</summary>
internal sealed class Travel(Session session)
{
    /// <exception cref="RequestException">It is not a position of the recording.</exception>
    public StopReport Seek(string position)
    {
        session.RequireRecording("going elsewhere");
        Position target = session.ParsePosition(position);
        session.Activity.Title($"Going to {target}");
        session.Timeline.Seek(target, session.Activity, session.Activity.Token);
        return new StopReport("goto", $"At {session.Timeline.Position}", session.Machine.CurrentCpuIndex);
    }

    /// <exception cref="RequestException">It is not an address.</exception>
    public (bool Found, string Description, StopReport Report) Write(string address, long? bytes, bool isForward)
    {
        session.RequireRecording("searching the recording");
        (MemoryPlace place, int size) = PlaceOf(address, bytes);
        session.Activity.Title($"Searching for the {(isForward ? "next" : "last")} write to {place}");
        Timeline timeline = session.Timeline;
        MachineEvent? found = isForward ? timeline.NextWrite(place.Address, size, place.IsPhysical, session.Activity, session.Activity.Token)
            : timeline.LastWrite(place.Address, size, place.IsPhysical, session.Activity, session.Activity.Token);
        if (found is not { } write)
            return (false, $"nothing writes the {new DataWatch(place, size).Label} {(isForward ? "after" : "before")} {timeline.Position}", default);
        int cpu = write.CpuIndex >= 0 ? write.CpuIndex : timeline.Machine.CurrentCpuIndex;
        string description = $"at {write.At}: {EventText.Describe(write)}";
        return (true, description, new StopReport("data breakpoint", $"{(isForward ? "Next" : "Last")} write, {description}", cpu));
    }

    /// <exception cref="RequestException">There is no diversion.</exception>
    public StopReport Return()
    {
        if (!session.LeaveDiversion()) throw new RequestException("there is no diversion to return from");
        return new StopReport("goto", $"Back in the recording, at {session.Timeline.Position}", session.Machine.CurrentCpuIndex);
    }

    private (MemoryPlace Place, int SizeBytes) PlaceOf(string text, long? bytes)
    {
        MemoryPlace place;
        long size;
        if (MemoryPlace.TryParse(text) is { } address) (place, size) = (address, bytes ?? 1);
        else
        {
            try
            {
                var environment = session.EnvironmentOf(session.View);
                CompiledExpression expression = CompiledExpression.Parse(text, environment);
                TypedValue value = expression.Evaluate(environment);
                (place, size) = value.Address is { } at ? (new MemoryPlace(at, value.IsPhysical), bytes ?? value.SizeBytes) : (new MemoryPlace(expression.Number(environment)), bytes ?? 1);
            }
            catch (ExpressionException e)
            {
                throw new RequestException(e.Message);
            }
        }
        if (size is < 1 or > DataWatch.MaximumSizeBytes) throw new RequestException($"{size} bytes cannot be watched: from 1 to {DataWatch.MaximumSizeBytes}");
        return (place, (int)size);
    }
}
