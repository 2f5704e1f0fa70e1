using System.Collections.Generic;
using System.Text.Json;
using Introspection.Origins;
using Introspection.Programs;
using Introspection.Text;

namespace Cli.Presentation;

/// <summary>How a value came to be: the main chain without indentation, everything else below what it goes into.</summary>
internal sealed class OriginView(ISymbolSource symbols)
{
    public IEnumerable<string> Lines(OriginNode root)
    {
        var shown = new HashSet<OriginNode>();
        var pending = new Stack<(OriginNode Node, int Indent, string Label)>();
        pending.Push((root, 0, ""));
        while (pending.TryPop(out (OriginNode Node, int Indent, string Label) next))
        {
            (OriginNode node, int indent, string label) = next;
            bool isFirst = shown.Add(node);
            string place = isFirst ? Place(node) : "";
            string text = isFirst ? node.Text : $"{ValueLocation.Text(node.Value)}: see above";
            yield return $"{node.At?.ToString() ?? "-",-14} {new string(' ', indent * 2)}{label}{node.Location} = {text}{place}";
            if (!isFirst) continue;
            // The last that is pushed is shown first: the side inputs, and then the chain goes on.
            foreach (OriginInput input in node.Inputs)
                if (input.IsMain) pending.Push((input.Node, indent, ""));
            for (int i = node.Inputs.Count - 1; i >= 0; i--)
                if (node.Inputs[i] is { IsMain: false } side) pending.Push((side.Node, indent + 1, side.Role == OriginRole.Part ? "" : $"{OriginGraph.NameOf(side.Role)} "));
        }
    }

    public void Write(Utf8JsonWriter json, OriginNode root)
    {
        var graph = new OriginGraph(root);
        json.WriteStartArray("nodes");
        foreach (OriginNode node in graph.Nodes) WriteNode(json, node, graph);
        json.WriteEndArray();
        json.WriteStartArray("chain");
        foreach (OriginNode node in root.Chain()) json.WriteNumberValue(graph.NumberOf(node));
        json.WriteEndArray();
    }

    private void WriteNode(Utf8JsonWriter json, OriginNode node, OriginGraph graph)
    {
        json.WriteStartObject();
        json.WriteNumber("id", graph.NumberOf(node));
        json.WriteString("location", node.Location.ToString());
        json.WritePosition("before", node.Before);
        json.WriteString("value", ValueLocation.Text(node.Value));
        json.WriteString("kind", OriginGraph.NameOf(node.Kind));
        json.WriteString("text", node.Text);
        if (node.At is { } at) json.WritePosition("position", at);
        if (node.CpuIndex >= 0) json.WriteNumber("cpu", node.CpuIndex);
        if (node.Rip is { } rip)
        {
            json.WriteHexadecimal("rip", rip);
            json.WriteString("instruction", node.Instruction);
            if (Name(rip) is { } name) json.WriteString("symbol", name);
            if (symbols.LineOf(rip) is { } line) json.WriteString("line", $"{line.Path}:{line.Line}");
        }
        if (node.InputIndex is { } input) json.WriteNumber("input", input);
        json.WriteStartArray("inputs");
        foreach (OriginInput one in node.Inputs)
        {
            json.WriteStartObject();
            json.WriteNumber("id", graph.NumberOf(one.Node));
            json.WriteString("role", OriginGraph.NameOf(one.Role));
            json.WriteBoolean("main", one.IsMain);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string Place(OriginNode node)
    {
        if (node.Rip is not { } rip) return "";
        string where = Name(rip) ?? Hexadecimal.Of(rip);
        string line = symbols.LineOf(rip) is { } source ? $" {source.Path[(source.Path.LastIndexOf('/') + 1)..]}:{source.Line}" : "";
        return $"   [vCPU {node.CpuIndex} {where}{line}: {node.Instruction}]";
    }

    private string? Name(ulong rip) => symbols.NameOf(rip, out ulong offset) is { } name ? offset == 0 ? name : $"{name}+{Hexadecimal.Of(offset)}" : null;
}
