namespace Vmm.Buses;

/// <summary>What listens to interrupt request lines: an interrupt controller's inputs, or a fan-out to several.</summary>
public interface IIrqSink
{
    /// <summary>Input number <paramref name="input"/> changed its level.</summary>
    void SetIrqLevel(int input, bool high);
}

/// <summary>One interrupt request wire, from a chip to an input of a controller. Level is the wire's; edges are the controller's business.</summary>
public sealed class IrqLine(IIrqSink sink, int input)
{
    /// <summary>The wire's level, active high. Part of the driving chip's state: chips set it again when they are restored.</summary>
    public bool IsHigh { get; private set; }

    public int Input => input;

    public void Set(bool high)
    {
        if (IsHigh == high) return;
        IsHigh = high;
        sink.SetIrqLevel(input, high);
    }

    /// <summary>A pulse: high, then low at once (an edge for edge-triggered inputs).</summary>
    public void Pulse()
    {
        Set(true);
        Set(false);
    }

    /// <summary>Takes over a level without telling the sink, whose own state is restored separately.</summary>
    public void Restore(bool high) => IsHigh = high;
}
