using System;
using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Origins;

/// <summary>How a value came to be where it is.</summary>
public enum OriginKind
{
    /// <summary>Not looked for yet, or no further: <see cref="OriginNode.Text"/> says why.</summary>
    NotFollowed,
    /// <summary>The very bytes come from somewhere else, perhaps extended.</summary>
    Copy,
    /// <summary>An instruction computed it.</summary>
    Computed,
    /// <summary>It is in the instruction, or the instruction always gives it.</summary>
    Constant,
    /// <summary>Its bytes were written at different times.</summary>
    Parts,
    /// <summary>A byte that came in from outside: a recorded input.</summary>
    Input,
    /// <summary>Bytes of a disk.</summary>
    Disk,
    /// <summary>A chip put it into memory by itself.</summary>
    Dma,
    /// <summary>Read from a port.</summary>
    Port,
    /// <summary>Read from a chip's registers in memory.</summary>
    Mmio,
    /// <summary>The processor defines it: RDTSC, CPUID, RDMSR, control and segment registers.</summary>
    Processor,
    /// <summary>The processor stored it when it delivered an interrupt or exception, or entered a system call.</summary>
    Hardware,
    /// <summary>It is in an image that was loaded before the machine began.</summary>
    Image,
    /// <summary>It has been so since the machine began.</summary>
    PowerOn,
    /// <summary>What was found does not explain it.</summary>
    Unexplained,
}

/// <summary>What an input is to the value.</summary>
public enum OriginRole { Value, Operand, Flags, Address, Part }

/// <summary>Something that a value was made of.</summary>
/// <param name="Role">What it is to the value.</param>
/// <param name="IsMain">It is the one that the chain goes on with.</param>
/// <param name="Node">Where it comes from.</param>
public sealed record OriginInput(OriginRole Role, bool IsMain, OriginNode Node);

/// <summary>A value, and how it came to be where it is. Several nodes may have the same input: it is a graph without cycles.</summary>
public sealed class OriginNode
{
    internal OriginNode(ValueLocation location, Position before, UInt128 value, int depth)
    {
        Location = location;
        Before = before;
        Value = value;
        Depth = depth;
    }

    /// <summary>Where the value is.</summary>
    public ValueLocation Location { get; }

    /// <summary>The position at which it is there.</summary>
    public Position Before { get; }

    public UInt128 Value { get; }

    /// <summary>Steps from what was asked.</summary>
    public int Depth { get; }

    /// <summary>The position just before the transition that put it there; null: none did, or it was not looked for.</summary>
    public Position? At { get; internal set; }

    /// <summary>The vCPU that did; -1: none.</summary>
    public int CpuIndex { get; internal set; } = -1;

    /// <summary>Linear address of the instruction that did; null: it was no instruction.</summary>
    public ulong? Rip { get; internal set; }

    /// <summary>The instruction that did, in Intel's syntax.</summary>
    public string? Instruction { get; internal set; }

    public OriginKind Kind { get; internal set; }

    /// <summary>One sentence, or an equation with values.</summary>
    public string Text { get; internal set; } = "";

    /// <summary>The recorded input that it is, by its number from 0 in the log; null: none.</summary>
    public long? InputIndex { get; internal set; }

    public IReadOnlyList<OriginInput> Inputs { get; internal set; } = [];

    /// <summary>The input that the chain goes on with; null: the chain ends here.</summary>
    public OriginNode? Next
    {
        get
        {
            foreach (OriginInput input in Inputs)
                if (input.IsMain) return input.Node;
            return null;
        }
    }

    /// <summary>From this node along the main inputs.</summary>
    public IEnumerable<OriginNode> Chain()
    {
        for (OriginNode? node = this; node is not null; node = node.Next) yield return node;
    }
}

/// <summary>Limits of a search for origins.</summary>
public sealed record OriginOptions
{
    /// <summary>Steps along one way.</summary>
    public int MaximumDepth { get; init; } = 64;

    /// <summary>Nodes in all. The main chain comes first, then what is fewest turns off it.</summary>
    public int MaximumNodes { get; init; } = 100;

    /// <summary>Follow the registers that addresses were made of too.</summary>
    public bool FollowsAddresses { get; init; }
}
