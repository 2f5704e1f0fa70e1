using System;
using System.Collections.Generic;
using System.Globalization;
using Introspection.Text;
using Symbols.Expressions;

namespace Introspection.Values;

/// <summary>The nodes of a list or tree in guest memory, which may be damaged: cycles are found, and there is an end.</summary>
internal sealed class NodeWalk
{
    private const int MaximumDepth = 256;

    private readonly HashSet<ulong> _seen = [];
    private readonly PrinterEnvironment _environment;
    private readonly int _maximum;

    private NodeWalk(PrinterEnvironment environment, int maximum)
    {
        _environment = environment;
        _maximum = maximum;
    }

    public List<TypedValue> Nodes { get; } = [];

    /// <summary>There are more than were wanted.</summary>
    public bool IsCut { get; private set; }

    /// <summary>What is wrong behind the last node, in a sentence; null: nothing.</summary>
    public string? Remark { get; private set; }

    public static NodeWalk Of(PrintedList list, PrinterEnvironment environment, int maximum)
    {
        var walk = new NodeWalk(environment, maximum);
        walk.Run(() => walk.Follow(list));
        return walk;
    }

    public static NodeWalk Of(PrintedTree tree, PrinterEnvironment environment, int maximum)
    {
        var walk = new NodeWalk(environment, maximum);
        walk.Run(() => walk.Descend(tree));
        return walk;
    }

    private void Run(Action read)
    {
        try
        {
            read();
        }
        catch (ExpressionException e)
        {
            Remark = Nodes.Count == 0 ? $"<{e.Message}>" : $"broken behind element {Nodes.Count - 1}: {e.Message}";
        }
        _environment.Node = null;
    }

    private ulong Number(TypedValue value)
    {
        _environment.Node = value;
        return s_node.Number(_environment);
    }

    private static readonly CompiledExpression s_node = CompiledExpression.Parse("node", new PrinterEnvironment(NoProgram.Instance, TypedValue.Untyped(0)));

    private void Follow(PrintedList list)
    {
        TypedValue node = _environment.Evaluate(list.First);
        ulong at = Number(node);
        CompiledExpression next = CompiledExpression.Parse(list.Next, _environment);
        CompiledExpression? until = list.Until is null ? null : CompiledExpression.Parse(list.Until, _environment);
        while (true)
        {
            if (until is null ? at == 0 : until.IsTrue(_environment)) return;
            if (at == 0) throw new ExpressionException("a NULL pointer in a list that has no such end");
            if (!Take(node, at)) return;
            node = next.Evaluate(_environment);
            at = Number(node);
        }
    }

    // False: enough, or again.
    private bool Take(TypedValue node, ulong at)
    {
        if (!_seen.Add(at))
        {
            int index = Nodes.FindIndex(other => Number(other) == at);
            Remark = string.Create(CultureInfo.InvariantCulture, $"a cycle: behind element {Nodes.Count - 1} comes element {index} again");
            return false;
        }
        if (Nodes.Count >= _maximum)
        {
            IsCut = true;
            return false;
        }
        Nodes.Add(node);
        return true;
    }

    // In order, with the way down in a list instead of on the stack.
    private void Descend(PrintedTree tree)
    {
        CompiledExpression left = CompiledExpression.Parse(tree.Left, Prepared(_environment.Evaluate(tree.Root)));
        CompiledExpression right = CompiledExpression.Parse(tree.Right, _environment);
        var path = new Stack<TypedValue>();
        var onPath = new HashSet<ulong>();
        TypedValue node = _environment.Node!;
        while (true)
        {
            for (ulong at = Number(node); at != 0; at = Number(node))
            {
                if (!onPath.Add(at))
                {
                    Remark = $"a cycle: {Hexadecimal.Of(at)} is met again";
                    return;
                }
                if (path.Count >= MaximumDepth)
                {
                    Remark = $"deeper than {MaximumDepth} nodes: no tree of this kind is";
                    return;
                }
                path.Push(node);
                node = left.Evaluate(_environment);
            }
            if (path.Count == 0) return;
            node = path.Pop();
            if (!Take(node, Number(node))) return;
            node = right.Evaluate(_environment);
        }
    }

    private PrinterEnvironment Prepared(TypedValue node)
    {
        _environment.Node = node;
        return _environment;
    }
}
