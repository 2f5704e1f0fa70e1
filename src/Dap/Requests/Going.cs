using System;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Sessions.Repl;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>The end of a search: where the session has gone, if something was found; for a request as for the console.</summary>
/// <param name="Found">What was found.</param>
/// <param name="Then">Tells the client that the session has moved.</param>
internal sealed record Going(TtvmFound Found, Action? Then)
{
    public Answer Answer => Answer.Of(Found, Then);

    public ConsoleResult Text => new(Found.Description, Then);

    /// <summary>Goes there.</summary>
    /// <param name="session">What is debugged.</param>
    /// <param name="what">Was looked for, in words.</param>
    /// <param name="isForward">The next one was.</param>
    /// <param name="at">Where it is; null: there is none.</param>
    /// <param name="cpu">Whose it is.</param>
    /// <param name="describe">What happens there; called there.</param>
    public static Going To(Session session, string what, bool isForward, Position? at, int? cpu, Func<string> describe)
    {
        Position here = session.Timeline.Position;
        if (at is not { } there)
            return new Going(new TtvmFound { Found = false, Position = here.ToString(), Description = $"there is no {what} {(isForward ? "after" : "before")} {here}" }, null);
        session.Activity.Title($"Going to {there}");
        session.Timeline.Seek(there, session.Activity, session.Activity.Token);
        string description = describe();
        var report = new StopReport("goto", $"{(isForward ? "Next" : "Last")} {what}, {description}", cpu ?? session.FocusCpu);
        return new Going(new TtvmFound { Found = true, Position = there.ToString(), Description = description }, () => session.Moved(report));
    }
}
