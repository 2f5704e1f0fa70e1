using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Origins;
using Introspection.Programs;

namespace Dap.Views;

/// <summary>How a value came to be, as the protocol says it.</summary>
internal sealed class OriginAnswers(Session session)
{
    public TtvmOrigin Of(OriginNode root)
    {
        var graph = new OriginGraph(root);
        var nodes = new List<TtvmOriginNode>();
        foreach (OriginNode node in graph.Nodes) nodes.Add(NodeOf(node, graph));
        var chain = new List<long>();
        foreach (OriginNode node in root.Chain()) chain.Add(graph.NumberOf(node));
        return new TtvmOrigin { Position = root.Before.ToString(), Nodes = nodes, Chain = chain };
    }

    private TtvmOriginNode NodeOf(OriginNode node, OriginGraph graph)
    {
        var inputs = new List<TtvmOriginInput>();
        foreach (OriginInput input in node.Inputs)
            inputs.Add(new TtvmOriginInput { Id = graph.NumberOf(input.Node), Role = OriginGraph.NameOf(input.Role), IsMain = input.IsMain });
        SourcePosition? line = node.Rip is { } rip ? session.Symbols.LineOf(rip) : null;
        return new TtvmOriginNode
        {
            Id = graph.NumberOf(node), Location = node.Location.ToString(), Value = ValueLocation.Text(node.Value), Kind = OriginGraph.NameOf(node.Kind), Text = node.Text,
            Before = node.Before.ToString(), Position = node.At?.ToString(), ThreadId = node.CpuIndex >= 0 ? Session.ThreadOfCpu(node.CpuIndex) : null,
            InstructionAddress = node.Rip is { } address ? Hexadecimal.Of(address) : null, Instruction = node.Instruction, Symbol = node.Rip is { } code ? NameOf(code) : null,
            Source = line is { } source ? session.Sources.Of(source.Path) : null, Line = line?.Line, Input = node.InputIndex, Inputs = inputs,
        };
    }

    private string? NameOf(ulong address) =>
        session.Symbols.NameOf(address, out ulong offset) is { } name ? offset == 0 ? name : $"{name}+{Hexadecimal.Of(offset)}" : null;
}
