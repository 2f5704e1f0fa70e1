using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;

namespace Dap.Requests;

/// <summary>Source files: which there are, and where in them breakpoints can be.</summary>
internal sealed class SourceRequests
{
    private readonly Session _session;

    public SourceRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<BreakpointLocationsArguments>(Commands.BreakpointLocations, BreakpointLocations);
        requests.Add(Commands.LoadedSources, LoadedSources);
        requests.Add<SourceArguments>(Commands.Source, Read);
    }

    private Answer BreakpointLocations(BreakpointLocationsArguments arguments)
    {
        var locations = new List<BreakpointLocation>();
        long end = arguments.EndLine ?? arguments.Line;
        foreach (uint line in _session.Symbols.StatementLines(arguments.Source.Path ?? ""))
            if (line >= arguments.Line && line <= end) locations.Add(new BreakpointLocation { Line = line });
        return Answer.Of(new BreakpointLocationsResponseBody { Breakpoints = [.. locations] });
    }

    private Answer Read(SourceArguments arguments)
    {
        string text = _session.Sources.TextOf(arguments.Source?.SourceReference ?? arguments.SourceReference, arguments.Source?.Path)
            ?? throw new RequestException("this source is neither on this machine nor in the recording");
        return Answer.Of(new SourceResponseBody { Content = text });
    }

    private Answer LoadedSources()
    {
        var sources = new SortedDictionary<string, Source>(StringComparer.Ordinal);
        foreach (string compilerPath in _session.Programs.AllSources())
            if (_session.Sources.Of(compilerPath) is { Path: { } path } source) sources.TryAdd(path, source);
        return Answer.Of(new LoadedSourcesResponseBody { Sources = [.. sources.Values] });
    }
}
