using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.State;
using Introspection.Text;
using Replay.Timelines;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Origins;

/// <summary>
/// Follows a value backwards through a recording: to what wrote it, from there to what that was made from, and on. Every step is taken on the replayed machine, and each copy's bytes are
/// compared at both ends. Uses the timeline's cursor, and puts it back.
/// </summary>
public sealed class OriginFinder(Timeline timeline, OriginOptions? options = null)
{
    private readonly OriginOptions _options = options ?? new OriginOptions();
    private readonly Dictionary<(ValueLocation Location, Position Before), OriginNode> _known = [];
    private readonly PriorityQueue<OriginNode, (int Turns, int Depth, int Order)> _open = new();
    private readonly Dictionary<OriginNode, int> _turns = [];
    private int _followed;

    /// <summary>The origin of a value at the cursor.</summary>
    /// <param name="location">Where the value is.</param>
    /// <param name="progress">How many of the allowed nodes are done, and the search for the one that is being looked for.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>, and the cursor back where it was.</param>
    public OriginNode Find(ValueLocation location, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        Position origin = timeline.Position;
        bool wasKept = timeline.IsKept(origin);
        timeline.Keep();
        _known.Clear();
        _open.Clear();
        _turns.Clear();
        _followed = 0;
        try
        {
            OriginNode root = NodeOf(location, origin, location.Read(timeline.Machine), 0, 0);
            while (_open.TryDequeue(out OriginNode? node, out _))
            {
                cancellation.ThrowIfCancellationRequested();
                if (node.Depth >= _options.MaximumDepth) node.Text = $"not followed further: {_options.MaximumDepth} steps were asked for";
                else if (_followed >= _options.MaximumNodes) node.Text = $"not followed: {_options.MaximumNodes} values were asked for";
                else Follow(node, progress, cancellation);
            }
            return root;
        }
        finally
        {
            timeline.Seek(origin, null, CancellationToken.None);
            if (!wasKept) timeline.Forget(origin);
        }
    }

    private OriginNode NodeOf(ValueLocation location, Position before, UInt128 value, int depth, int turns)
    {
        if (_known.TryGetValue((location, before), out OriginNode? known)) return known;
        var node = new OriginNode(location, before, value, depth);
        _known.Add((location, before), node);
        _turns.Add(node, turns);
        _open.Enqueue(node, (turns, depth, _known.Count));
        return node;
    }

    private void Follow(OriginNode node, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        _followed++;
        timeline.Seek(node.Before, null, cancellation);
        ValueLocation location = node.Location;
        if (!location.IsRegister && timeline.Machine.Memory.RamOffset(location.Address) < 0)
        {
            End(node, Explanation.End(OriginKind.Mmio, $"physical {Hexadecimal.Of(location.Address)} is no RAM"));
            return;
        }
        bool found = location.IsRegister ? timeline.LastTransition(() => new RegisterProbe(location), progress, cancellation) is not null
            : timeline.LastWrite(location.Address, location.SizeBytes, true, progress, cancellation) is not null;
        if (!found)
        {
            End(node, Initial(location, node.Value));
            return;
        }
        Position at = timeline.Position;
        Transition transition = Transition.Observe(timeline, location);
        uint whole = (uint)((1UL << location.SizeBytes) - 1);
        node.At = at;
        node.CpuIndex = transition.CpuIndex;
        if (transition.IsInstruction) (node.Rip, node.Instruction) = (transition.Linear, transition.Text);
        if (transition.Value != node.Value || transition.Written == 0)
            End(node, Explanation.End(OriginKind.Unexplained, $"after {at} the value is {ValueLocation.Text(transition.Value)}, and not {ValueLocation.Text(node.Value)}"));
        else if (transition.Written != whole) Split(node, transition.Written, at);
        else Explain(node, transition);
    }

    private static void End(OriginNode node, Explanation explanation) => (node.Kind, node.Text) = (explanation.Kind, explanation.Text);

    // The bytes that were written come from here, the others from before.
    private void Split(OriginNode node, uint written, Position at)
    {
        var inputs = new List<OriginInput>();
        var texts = new List<string>();
        ValueLocation location = node.Location;
        for (int from = 0; from < location.SizeBytes;)
        {
            bool isWritten = (written >> from & 1) != 0;
            int to = from;
            while (to < location.SizeBytes && (written >> to & 1) != 0 == isWritten) to++;
            ValueLocation part = location.Slice(from, to - from);
            UInt128 value = ValueLocation.Cut(node.Value >> from * 8, to - from);
            bool isMain = isWritten && inputs.Find(static input => input.IsMain) is null;
            int turns = _turns[node] + (isMain ? 0 : 1);
            inputs.Add(new OriginInput(OriginRole.Part, isMain, NodeOf(part, isWritten ? node.Before : at, value, node.Depth + 1, turns)));
            if (isWritten) texts.Add(part.ToString());
            from = to;
        }
        (node.Kind, node.Text, node.Inputs) = (OriginKind.Parts, $"{ValueLocation.Text(node.Value)}: only {string.Join(" and ", texts)} was written here", inputs);
    }

    private void Explain(OriginNode node, Transition transition)
    {
        var explainer = new Explainer(transition, node.Location, timeline.Machine);
        Explanation explanation = explainer.Explain();
        // What was read is looked at as it was.
        timeline.Seek(transition.At, null, CancellationToken.None);
        Machine machine = timeline.Machine;
        explanation = Refine(node, transition, explanation);
        if (explanation.Kind == OriginKind.Copy && Mismatch(node, explanation, machine) is { } mismatch) explanation = mismatch;
        End(node, explanation);
        var inputs = new List<OriginInput>();
        bool hasMain = false;
        foreach (SourceValue source in explanation.Sources) Add(source.Location, source.Role);
        if (_options.FollowsAddresses)
            foreach (SourceValue source in explainer.Addresses()) Add(source.Location, OriginRole.Address);
        node.Inputs = inputs;

        void Add(ValueLocation location, OriginRole role)
        {
            bool isMain = !hasMain && role != OriginRole.Address;
            hasMain |= isMain;
            inputs.Add(new OriginInput(role, isMain, NodeOf(location, transition.At, location.Read(machine), node.Depth + 1, _turns[node] + (isMain ? 0 : 1))));
        }
    }

    // What the state of chips before the transition says about a value from outside.
    private Explanation Refine(OriginNode node, Transition transition, Explanation explanation)
    {
        Machine machine = timeline.Machine;
        ValueLocation location = node.Location;
        if (explanation.Kind == OriginKind.Port && transition.Find(MachineEventKind.PortRead) is { } read)
        {
            int port = (int)read.Number, within = location.IsRegister ? (int)location.Address : WithinStore(transition, location);
            if (location.SizeBytes == 1 && InputOrigins.FromPort(timeline.Recording, machine, port, (byte)node.Value) is { } input)
            {
                node.InputIndex = input.Index;
                return explanation with { Kind = OriginKind.Input, Text = $"{input.Text}; read from port {Hexadecimal.Of((ulong)port)}" };
            }
            if (within >= 0 && DiskOrigins.FromPort(machine, port, within, node.Value, location.SizeBytes) is { } sector)
                return explanation with { Kind = OriginKind.Disk, Text = $"{ValueLocation.Text(node.Value)}: {sector}; read from port {Hexadecimal.Of((ulong)port)}" };
        }
        if (explanation.Kind != OriginKind.Dma) return explanation;
        if (transition.Has(MachineEventKind.Input) && InputOrigins.At(timeline.Recording, transition.At) is { } index)
        {
            node.InputIndex = index;
            return explanation with { Kind = OriginKind.Input, Text = $"{ValueLocation.Text(node.Value)}: of input {index}, stored by a chip as it came in at {transition.At}" };
        }
        return DiskOrigins.FromStore(machine, location.Address, node.Value, location.SizeBytes) is { } block
            ? explanation with { Kind = OriginKind.Disk, Text = $"{ValueLocation.Text(node.Value)}: {block}; stored by DMA" } : explanation;
    }

    private static int WithinStore(Transition transition, ValueLocation location)
    {
        foreach (MachineEvent e in transition.Events)
            if (e.Kind == MachineEventKind.Write && location.Address - e.Physical < (ulong)Math.Max(1, e.SizeBytes)) return (int)(location.Address - e.Physical);
        return -1;
    }

    private static Explanation? Mismatch(OriginNode node, Explanation explanation, Machine machine)
    {
        var places = new List<ValueLocation>();
        int size = 0;
        foreach (SourceValue source in explanation.Sources)
        {
            places.Add(source.Location);
            size += source.Location.SizeBytes;
        }
        UInt128 value = OperandSource.ReadAll(machine, places);
        if (size == 0 || ValueLocation.Cut(node.Value, Math.Min(size, node.Location.SizeBytes)) == value) return null;
        return Explanation.End(OriginKind.Unexplained, $"{node.Instruction} seems to copy {ValueLocation.Text(value)}, but gives {ValueLocation.Text(node.Value)}");
    }

    private Explanation Initial(ValueLocation location, UInt128 value)
    {
        if (!location.IsRegister) return ImageOrigins.Explain(timeline.Machine, location.Address, location.SizeBytes);
        return Explanation.End(OriginKind.PowerOn, $"{ValueLocation.Text(value)}: vCPU {location.CpuIndex} began with it, and has not written it since");
    }
}
