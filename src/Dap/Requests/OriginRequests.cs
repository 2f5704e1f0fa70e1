using System;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.Origins;
using Symbols.Expressions;

namespace Dap.Requests;

/// <summary>The request of our own for how a value came to be.</summary>
internal sealed class OriginRequests
{
    private const int DefaultSizeBytes = 8, LargestLimit = 10_000;

    private readonly Session _session;

    public OriginRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmOriginArguments>("ttvm/origin", Find);
    }

    private Answer Find(TtvmOriginArguments arguments)
    {
        _session.RequireRecording("following a value");
        ValueLocation location = LocationOf(arguments);
        var defaults = new OriginOptions();
        var options = new OriginOptions
        {
            MaximumDepth = (int)Math.Clamp(arguments.Depth ?? defaults.MaximumDepth, 1, LargestLimit),
            MaximumNodes = (int)Math.Clamp(arguments.Nodes ?? defaults.MaximumNodes, 1, LargestLimit), FollowsAddresses = arguments.Addresses == true,
        };
        _session.Activity.Title($"Following {location} back");
        OriginNode root = new OriginFinder(_session.Timeline, options).Find(location, _session.Activity, _session.Activity.Token);
        return Answer.Of(new OriginAnswers(_session).Of(root));
    }

    private ValueLocation LocationOf(TtvmOriginArguments arguments)
    {
        GuestView view = _session.ViewOf(_session.CpuOf(arguments.ThreadId));
        string name = (arguments.Register ?? "").Trim().TrimStart('$');
        if (ValueLocation.Register(view.Vcpu.Index, name) is { } register) return register;
        if (arguments.Register is not null) throw new RequestException($"values are not followed in a register '{name}': general registers, xmm0 to xmm15 and rflags");
        try
        {
            if (arguments.MemoryReference is { } reference)
            {
                MemoryPlace place = MemoryPlace.TryParse(reference) ?? throw new RequestException($"'{reference}' is not an address");
                return OriginTarget.MemoryAt(view, place, arguments.Count ?? DefaultSizeBytes);
            }
            if (arguments.EvaluateName is not { } expression) throw new RequestException("say whose origin: memoryReference, register or evaluateName");
            int? size = arguments.Count is { } count ? (int)Math.Clamp(count, int.MinValue, int.MaxValue) : null;
            return OriginTarget.Parse(expression, size, view, _session.EnvironmentOf(view), _session.SymbolsOf(view.Vcpu.Index));
        }
        catch (ExpressionException e)
        {
            throw new RequestException(e.Message);
        }
    }
}
