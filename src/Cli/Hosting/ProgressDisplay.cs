using System;
using System.Runtime;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;
using Replay.Timelines;
using Spectre.Console;

namespace Cli.Hosting;

/// <summary>
/// A progress bar on standard error for work that takes more than a second, when that is a terminal. The work runs on a thread of its own; the
/// display polls what it reports.
/// </summary>
internal sealed class ProgressDisplay : IProgress<TimelineProgress>, IProgress<double>
{
    private const int PatienceMilliseconds = 1000, PollMilliseconds = 100;

    // A terminal has one bar: what is waited for within other work is part of that.
    private static readonly AsyncLocal<bool> s_isWithin = new();

    private double _fraction;

    /// <summary>Whether anybody would see it.</summary>
    public static bool IsVisible => !Console.IsErrorRedirected;

    public void Report(TimelineProgress value) =>
        Volatile.Write(ref _fraction, value.TotalInstructions == 0 ? 0 : (double)value.DoneInstructions / value.TotalInstructions);

    public void Report(double value) => Volatile.Write(ref _fraction, value);

    /// <summary>Does the work, with a bar if it takes long.</summary>
    /// <param name="what">What the bar says: "replaying".</param>
    /// <param name="work">The work; it reports to the display.</param>
    public static T Run<T>(string what, Func<ProgressDisplay, T> work)
    {
        var display = new ProgressDisplay();
        if (s_isWithin.Value) return work(display);
        // Whoever waits for the end wants it soon, whatever pauses there are on the way; collecting garbage beside the work takes a core from it.
        GCLatencyMode before = GCSettings.LatencyMode;
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        try
        {
            return IsVisible ? WithBar(display, what, work) : work(display);
        }
        finally
        {
            GCSettings.LatencyMode = before;
        }
    }

    private static T WithBar<T>(ProgressDisplay display, string what, Func<ProgressDisplay, T> work)
    {
        Task<T> task = Task.Factory.StartNew(() =>
        {
            s_isWithin.Value = true;
            return work(display);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            if (!task.Wait(PatienceMilliseconds)) display.ShowUntil(task, what);
            return task.GetAwaiter().GetResult();
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
    }

    private void ShowUntil(Task task, string what)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(what), maxValue: 1);
                while (!task.IsCompleted)
                {
                    double fraction = Volatile.Read(ref _fraction);
                    bar.IsIndeterminate = double.IsNaN(fraction);
                    if (!bar.IsIndeterminate) bar.Value = Math.Clamp(fraction, 0, 1);
                    Task.WaitAny([task], PollMilliseconds);
                }
            });
    }
}
