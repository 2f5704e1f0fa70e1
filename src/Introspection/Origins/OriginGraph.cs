using System.Collections.Generic;

namespace Introspection.Origins;

/// <summary>All nodes below one, numbered from it on, the nearest first.</summary>
public sealed class OriginGraph
{
    private readonly Dictionary<OriginNode, int> _numbers = [];
    private readonly List<OriginNode> _nodes = [];

    public OriginGraph(OriginNode root)
    {
        _numbers.Add(root, 0);
        _nodes.Add(root);
        for (int i = 0; i < _nodes.Count; i++)
            foreach (OriginInput input in _nodes[i].Inputs)
                if (_numbers.TryAdd(input.Node, _nodes.Count)) _nodes.Add(input.Node);
    }

    /// <summary>By their numbers.</summary>
    public IReadOnlyList<OriginNode> Nodes => _nodes;

    public int NumberOf(OriginNode node) => _numbers[node];

    /// <summary>"copy", "powerOn": as JSON has it.</summary>
    public static string NameOf(OriginKind kind) => Camel(kind.ToString());

    /// <summary>"value", "operand".</summary>
    public static string NameOf(OriginRole role) => Camel(role.ToString());

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
