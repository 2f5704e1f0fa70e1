using System;
using System.Buffers.Text;
using System.Diagnostics;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Cli.Bench;

/// <summary>
/// How long questions take, one by one. Beside each a control is timed that does nothing for as long as the question in the middle takes: what others on the machine take away
/// from it, they take from the questions as well. And where the system says how long a thread has waited for a processor, times are given without that, too.
/// </summary>
/// <param name="count">How many questions of each kind there will be.</param>
internal sealed class LookupTimes(int count)
{
    private const double LimitMicroseconds = 1000;

    // So many questions tell how long the control is.
    private const int FirstQuestions = 500;

    // One array, which is too large for the garbage collector to move.
    private readonly double[] _all = new double[count * 3];

    /// <summary>Asks them; the result for the table.</summary>
    internal string Of(Action<int> question)
    {
        Span<double> times = _all.AsSpan(0, count), own = _all.AsSpan(count, count), control = _all.AsSpan(count * 2, count);
        using var waits = new WaitingTime();
        double length = 0;
        for (int i = 0; i < count; i++)
        {
            double waited = waits.Microseconds();
            long start = Stopwatch.GetTimestamp();
            question(i);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            own[i] = times[i] - (waits.Microseconds() - waited);
            if (i == Math.Min(FirstQuestions, count - 1)) length = Middle(times[..(i + 1)]);
            start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < length)
            {
                // Nothing.
            }
            control[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        times.Sort();
        own.Sort();
        control.Sort();
        string others = waits.IsKnown ? $"; without waiting for a processor: longest {own[^1]:F0} us, {Late(own)} over 1 ms" : "";
        return $"median {times[count / 2]:F0} us, 99 % within {times[count * 99 / 100]:F0} us, longest {times[^1]:F0} us, {Late(times)} over 1 ms (of {count}){others}"
            + $"; control: longest {control[^1]:F0} us, {Late(control)} over 1 ms";
    }

    private static double Middle(Span<double> times)
    {
        double[] sorted = times.ToArray();
        Array.Sort(sorted);
        return sorted[sorted.Length / 2];
    }

    private static int Late(Span<double> sorted)
    {
        int late = 0;
        while (late < sorted.Length && sorted[^(late + 1)] > LimitMicroseconds) late++;
        return late;
    }

    // The second number of /proc/thread-self/schedstat (Linux, Documentation/scheduler/sched-stats.rst): nanoseconds in which this thread could have run and did not.
    private sealed class WaitingTime : IDisposable
    {
        private readonly SafeFileHandle? _file;

        internal WaitingTime()
        {
            try
            {
                _file = File.OpenHandle("/proc/thread-self/schedstat");
                IsKnown = true;
                IsKnown = !double.IsNaN(Microseconds());
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                IsKnown = false;
            }
        }

        internal bool IsKnown { get; private set; }

        internal double Microseconds()
        {
            if (!IsKnown) return 0;
            Span<byte> text = stackalloc byte[128];
            text = text[..RandomAccess.Read(_file!, text, 0)];
            text = text[(text.IndexOf((byte)' ') + 1)..];
            return Utf8Parser.TryParse(text, out long nanoseconds, out _) ? nanoseconds / 1000.0 : double.NaN;
        }

        public void Dispose() => _file?.Dispose();
    }
}
