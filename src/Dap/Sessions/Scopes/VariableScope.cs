using System;
using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;
using Introspection.Unwinding;
using Introspection.Values;
using Symbols.Dwarf.Variables;

namespace Dap.Sessions.Scopes;

/// <summary>The program's own variables in a frame: its arguments and locals, and the global ones of its unit.</summary>
internal sealed class VariableScope
{
    private readonly Session _session;
    private readonly int _cpuIndex;
    private readonly StackLevel _level;

    public VariableScope(Session session, FrameHandle frame)
    {
        _session = session;
        _cpuIndex = frame.CpuIndex;
        _level = frame.Level;
    }

    /// <summary>The debug information knows the frame's function.</summary>
    public bool Exists => _level is { Source.Function: not null, File: not null };

    /// <summary>Arguments, then locals.</summary>
    public VariableSource Locals => SourceOf(ReadLocals);

    public VariableSource Globals => SourceOf(ReadGlobals);

    // An assignment to one of them is an assignment to its name.
    private VariableSource SourceOf(Func<IReadOnlyList<Variable>> read) => VariableSource.Of(read) with
    {
        CpuIndex = _cpuIndex, Level = _level, EvaluateNameOf = static name => name,
    };

    private List<Variable> ReadLocals()
    {
        (FrameVariables variables, ValueRenderer renderer) = Open();
        var list = new List<Variable>();
        foreach (FrameVariable local in variables.Locals) list.Add(Show(renderer.Render(local.Name, local.Value, local.Name)));
        return list;
    }

    private List<Variable> ReadGlobals()
    {
        (FrameVariables variables, ValueRenderer renderer) = Open();
        var list = new List<Variable>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (DebugVariable global in _level.File!.Dwarf.GlobalsOf(_level.Source!.Function!))
        {
            if ((global.QualifiedName ?? global.Name) is not { } name || !names.Add(name) || global.IsDeclaration) continue;
            if (variables.Variable(name) is { } value) list.Add(Show(renderer.Render(name, value, name)));
        }
        list.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return list;
    }

    private (FrameVariables Variables, ValueRenderer Renderer) Open()
    {
        GuestView view = _session.ViewOf(_cpuIndex);
        return (new FrameVariables(view, _session.SymbolsOf(_cpuIndex), _level), _session.Renderer(_session.EnvironmentOf(view, _level), view));
    }

    private Variable Show(ValueNode node) => ValueViews.Of(_session, node, _cpuIndex, _level);
}
