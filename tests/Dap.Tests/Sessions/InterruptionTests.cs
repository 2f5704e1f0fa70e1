using System;
using System.IO;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading;
using Dap.Protocol;
using Dap.Sessions;
using Microsoft.Extensions.Logging;
using Xunit;
using Thread = System.Threading.Thread;

namespace Dap.Tests.Sessions;

/// <summary>What comes while something else is being done: pause, cancel, disconnect.</summary>
public sealed class InterruptionTests(Recordings recordings)
{
    private const string Thread1 = """{"threadId":1}""";

    [Fact]
    public void A_pause_ends_a_run_with_one_stop()
    {
        using TestClient client = TestClient.Launched(recordings.Two);
        int run = client.Send("continue", Thread1), pause = client.Send("pause", Thread1), after = client.Send("threads");
        Assert.True((bool)client.WaitFor(run)["success"]!);
        Assert.True((bool)client.WaitFor(pause)["success"]!);
        Assert.True((bool)client.WaitFor(after)["success"]!);
        Assert.Single(client.Events, e => (string?)e["event"] == "stopped");
        client.Events.Clear();
        Assert.Equal("end", (string?)client.Move("continue")["reason"]);
    }

    [Fact]
    public void A_request_can_be_cancelled_before_its_turn()
    {
        using TestClient client = TestClient.Launched(recordings.One, "end");
        string position = client.Position();
        int next = client.Send("ttvm/nothing") + 2;
        int cancel = client.Send("cancel", $$"""{"requestId":{{next}}}""");
        int search = client.Send("ttvm/lastWrite", """{"address":"0xffffffff80104658"}""");
        Assert.Equal(next, search);
        Assert.True((bool)client.WaitFor(cancel)["success"]!);
        JsonNode answer = client.WaitFor(search);
        Assert.False((bool)answer["success"]!);
        Assert.Equal("cancelled", (string?)answer["message"]);
        Assert.Equal(position, client.Position());
    }

    [Fact]
    public void What_takes_long_reports_progress()
    {
        using TestClient client = TestClient.Launched(recordings.One, "start", new DapServerOptions { ProgressDelay = TimeSpan.Zero });
        client.Events.Clear();
        client.Body("ttvm/seek", """{"position":"99.9%"}""");
        Assert.Contains(client.Events, e => (string?)e["event"] == "progressStart" && (bool)e["body"]!["cancellable"]!);
        Assert.Contains(client.Events, e => (string?)e["event"] == "progressEnd");
    }

    [Fact]
    public void Who_waits_for_the_past_of_locks_sees_how_far_it_is_and_may_have_enough()
    {
        const string one = """{"lock":"account.brokenLock","event":"acquire"}""";
        using var held = new HeldThread("locks");
        using TestClient client = TestClient.Launched(recordings.Long, "50%", new DapServerOptions { ProgressDelay = TimeSpan.Zero, Loggers = held });
        string position = client.Position();
        // Whoever learns the past is held up where it begins.
        Assert.Equal("0", (string?)client.Body("ttvm/lockHistory")["known"]);
        Assert.False((bool)client.Body("ttvm/lockFindings")["isComplete"]!);
        client.Events.Clear();
        int asked = client.Send("ttvm/lockSeek", one);
        client.WaitForEvent("progressStart");
        Assert.True((bool)Assert.Single(client.Events, e => (string?)e["event"] == "progressStart")["body"]!["cancellable"]!);
        client.WaitForEvent("progressUpdate");
        int cancel = client.Send("cancel", $$"""{"requestId":{{asked}}}""");
        JsonNode answer = client.WaitFor(asked);
        Assert.False((bool)answer["success"]!);
        Assert.Equal("cancelled", (string?)answer["message"]);
        Assert.True((bool)client.WaitFor(cancel)["success"]!);
        Assert.Equal(position, client.Position());
        // Once more where some of it is known: as a rule midway.
        held.Release();
        while ((string?)client.Quietly("ttvm/lockHistory", "{}")["known"] == "0") Thread.Sleep(5);
        asked = client.Send("ttvm/lockSeek", one);
        cancel = client.Send("cancel", $$"""{"requestId":{{asked}}}""");
        bool isTooLate = (bool)client.WaitFor(asked)["success"]!;
        Assert.True((bool)client.WaitFor(cancel)["success"]!);
        if (isTooLate) client.Body("ttvm/seek", """{"position":"50%"}""");
        // What was learnt is not learnt again, and what was not is: as if nobody had asked before.
        Assert.Equal(position, client.Position());
        client.Body("ttvm/lockSeek", one);
        string there = client.Position();
        Assert.NotEqual(position, there);
        Assert.True((bool)client.Body("ttvm/lockFindings")["isComplete"]!);
        using TestClient other = TestClient.Launched(recordings.Long, "50%");
        other.Body("ttvm/lockSeek", one);
        Assert.Equal(there, other.Position());
        foreach (string what in (string[])["ttvm/lockHistory", "ttvm/lockFindings"]) Assert.Equal(other.Body(what).ToJsonString(), client.Body(what).ToJsonString());
    }

    [Fact]
    public void Who_waits_for_an_index_sees_how_far_it_is_and_may_have_enough()
    {
        var output = new MemoryStream();
        using var activity = new Activity(new MessageWriter(output), TimeSpan.Zero) { ReportsProgress = true };
        Request request = Of(7);
        Assert.True(activity.TryBegin(request));
        activity.Title("Running");
        // It is made by others, and takes its time.
        int asked = 0;
        activity.Wait("Reading the names in vmlinux", (time, token) =>
        {
            Assert.True(time > TimeSpan.Zero);
            token.ThrowIfCancellationRequested();
            return ++asked == 4;
        }, () => asked / 4.0);
        activity.End();
        string told = Encoding.UTF8.GetString(output.ToArray());
        Assert.Contains("\"title\":\"Reading the names in vmlinux\"", told, StringComparison.Ordinal);
        Assert.Contains("\"cancellable\":true", told, StringComparison.Ordinal);
        Assert.Contains("progressEnd", told, StringComparison.Ordinal);
        // The request that waits is cancelled, another one is not: the question fails, and the next one begins anew.
        Assert.True(activity.TryBegin(Of(8)));
        asked = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => activity.Wait("Reading", (_, token) =>
        {
            if (++asked == 2) activity.CancelRequest(7);
            if (asked == 5) activity.CancelRequest(8);
            token.ThrowIfCancellationRequested();
            Assert.True(asked < 5);
            return false;
        }, () => 0));
        Assert.Equal(5, asked);
        Assert.True(activity.TryBegin(Of(9)));
        Assert.False(activity.Token.IsCancellationRequested);

        static Request Of(long sequence) => new(sequence, "evaluate", default);
    }

    [Fact]
    public void A_client_that_goes_in_the_middle_of_a_run_ends_the_server()
    {
        using TestClient client = TestClient.Launched(recordings.Two);
        client.Send("continue", Thread1);
        client.Close();
    }

    [Fact]
    public void A_disconnect_in_the_middle_of_a_run_is_answered()
    {
        using TestClient client = TestClient.Launched(recordings.Two);
        client.Send("continue", Thread1);
        Assert.True((bool)client.WaitFor(client.Send("disconnect"))["success"]!);
        client.Close();
    }

    /// <summary>Wants messages only to hold up a thread of the server in its first one.</summary>
    private sealed class HeldThread(string name) : ILoggerFactory, ILogger
    {
        private readonly ManualResetEventSlim _released = new();

        public void Release() => _released.Set();

        public ILogger CreateLogger(string categoryName) => this;
        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel)
        {
            if (Thread.CurrentThread.Name == name) _released.Wait();
            return false;
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) { }

        // What is still held is let go, for a server that ends after a test that failed.
        public void Dispose() => _released.Set();
    }
}
