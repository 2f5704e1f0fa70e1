using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Code;
using Introspection.History;
using Introspection.State;
using Introspection.Text;
using Vmm.Translation;

namespace Dap.Requests;

/// <summary>The request of our own for what the translator makes of guest code.</summary>
internal sealed class TranslatedCodeRequests
{
    private readonly Session _session;

    public TranslatedCodeRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmThreadArguments>("ttvm/translatedCode", Show);
    }

    private Answer Show(TtvmThreadArguments arguments)
    {
        _session.RequireRecording("showing translated code");
        int cpu = _session.CpuOf(arguments.ThreadId);
        // To look at the block fetches it, which may mark its page accessed: in a machine that nobody goes on with.
        using var moment = new OtherMoment(_session.Recording);
        BlockListing? listing = moment.At(_session.Timeline.Position, _session.Activity, _session.Activity.Token).ListBlock(cpu);
        return Answer.Of(new TtvmTranslatedCode
        {
            Position = _session.Timeline.Position.ToString(), ThreadId = cpu + 1,
            Reason = listing is null ? $"the interpreter executes this: {TranslatedCode.InterpretedKinds}" : null,
            HostBytes = listing?.HostCode.Length ?? 0, Lines = listing is null ? [] : [.. TranslatedCode.Of(listing).Select(LineOf)],
        });
    }

    private static TtvmTranslatedLine LineOf(TranslatedLine line) => new()
    {
        Address = line.GuestAddress is { } rip ? Hexadecimal.Of(rip) : null, Guest = line.GuestAddress is null ? null : line.Guest, IsByHandler = line.IsByHandler,
        Offset = line.HostOffset, Host = line.HostOffset is null ? null : line.Host, IsBehind = line.IsBehind,
    };
}
