using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Unwinding;
using Introspection.Values;

namespace Dap.Views;

/// <summary>Values of the program as the protocol's variables.</summary>
internal static class ValueViews
{
    /// <summary>A value in a list of variables.</summary>
    /// <param name="session">Keeps what can be opened.</param>
    /// <param name="node">The value.</param>
    /// <param name="cpuIndex">Whose it is.</param>
    /// <param name="level">The frame that names are looked up in; null: the innermost.</param>
    public static Variable Of(Session session, ValueNode node, int cpuIndex, StackLevel? level = null) => new()
    {
        Name = node.Name, Value = node.Text, Type = node.TypeText.Length > 0 ? node.TypeText : null, EvaluateName = node.EvaluateName,
        VariablesReference = ReferenceOf(session, node, cpuIndex, level), IndexedVariables = node.IndexedCount > 0 ? node.IndexedCount : null,
        NamedVariables = node.NamedCount > 0 ? node.NamedCount : null, MemoryReference = node.Place?.ToString(),
    };

    /// <summary>A number for what is in a value; 0: nothing.</summary>
    public static long ReferenceOf(Session session, ValueNode node, int cpuIndex, StackLevel? level)
    {
        if (!node.HasChildren) return 0;
        return session.Variables.Add(new VariableSource((start, count) => Read(session, node, cpuIndex, level, start, count), IsPaged: node.IndexedCount > 0)
        {
            CpuIndex = cpuIndex, Level = level, EvaluateNameOf = name => Find(node, name)?.EvaluateName,
        });
    }

    private static List<Variable> Read(Session session, ValueNode node, int cpuIndex, StackLevel? level, int start, int count)
    {
        var list = new List<Variable>();
        foreach (ValueNode child in node.Children(start, count)) list.Add(Of(session, child, cpuIndex, level));
        return list;
    }

    // By its number where it has one, as there may be many.
    private static ValueNode? Find(ValueNode node, string name)
    {
        if (name.StartsWith('[') && int.TryParse(name.Trim('[', ']'), out int index) && node.IndexedCount > 0)
            return node.Children(index, 1) is [{ } one] && one.Name == name ? one : null;
        foreach (ValueNode child in node.Children())
            if (child.Name == name) return child;
        return null;
    }
}
