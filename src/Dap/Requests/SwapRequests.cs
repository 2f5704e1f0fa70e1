using System;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.Atomics;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>A request of our own about a word that is changed without a lock: every attempt to, found by replaying, with progress that the client can cancel.</summary>
internal sealed class SwapRequests(Session session)
{
    private const int DefaultCount = 100, MaximumCount = 10_000;

    public void AddTo(RequestTable requests) => requests.Add<TtvmSwapsArguments>("ttvm/swaps", arguments => Answer.Of(Read(arguments)));

    public TtvmSwaps Read(TtvmSwapsArguments arguments)
    {
        session.RequireRecording("searching the recording");
        string word = arguments.Word.Trim();
        SymbolSet symbols = session.Symbols;
        AtomicTarget target = TargetOf(word, symbols, arguments.SizeBytes);
        Position from = arguments.From is { } first ? session.ParsePosition(first) : session.Recording.Start;
        Position to = arguments.To is { } last ? session.ParsePosition(last) : session.Recording.End;
        if (to < from) throw new RequestException("the range ends before it begins");
        int count = (int)Math.Clamp(arguments.Count ?? DefaultCount, 1, MaximumCount);
        ICurrentTask tasks = session.Locks.Tasks;
        session.Activity.Title($"Searching for swaps of {word}");
        AtomicHistory found = AtomicHistory.Read(session.Timeline, target, tasks, from, to, count, session.Activity, session.Activity.Token);
        var views = new SwapViews(session, symbols, tasks);
        return new TtvmSwaps { Address = Hexadecimal.Of(target.Address), SizeBytes = target.SizeBytes, Swaps = views.Describe(found.Attempts), IsCut = found.IsCut };
    }

    private AtomicTarget TargetOf(string word, SymbolSet symbols, long? sizeBytes)
    {
        if (sizeBytes is < 1 or > AtomicTarget.MaximumBytes) throw new RequestException($"a word has 1 to {AtomicTarget.MaximumBytes} bytes, and not {sizeBytes}");
        if (session.Locks.Find().AddressOf(word, symbols) is { } address)
            return AtomicTarget.Find(word, symbols, (int?)sizeBytes) ?? new AtomicTarget(address, (int)(sizeBytes ?? sizeof(ulong)));
        return new AtomicTarget(EvaluationRequests.NumberOf(word, session.View, symbols), (int)(sizeBytes ?? sizeof(ulong)));
    }
}
