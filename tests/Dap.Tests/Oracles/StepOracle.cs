using System.Collections.Generic;
using Introspection.Programs;
using Vmm.Time;

namespace Dap.Tests.Oracles;

/// <summary>Where steps by source lines or statements lead, told from all transitions and the calls that they belong to. For code without inlined copies.</summary>
internal sealed class StepOracle
{
    private readonly List<Moment> _moments;
    private readonly SymbolSet _symbols;
    private readonly Dictionary<Activation, List<int>> _byFrame = [];

    private readonly bool _byStatement;

    public StepOracle(List<Moment> moments, SymbolSet symbols, bool byStatement = false)
    {
        _byStatement = byStatement;
        _moments = moments;
        _symbols = symbols;
        for (int i = 0; i < moments.Count; i++)
        {
            if (!_byFrame.TryGetValue(moments[i].Frame, out List<int>? indexes)) _byFrame[moments[i].Frame] = indexes = [];
            indexes.Add(i);
        }
    }

    public bool HasLine(int index) => PlaceOf(index).HasLine;

    /// <summary>The vCPU's next transition from a position on; where it is interrupted first, the one at which it goes on. -1: none.</summary>
    public int IndexOf(Position position, int cpuIndex)
    {
        int index = LowerBound(position);
        while (index < _moments.Count && _moments[index].CpuIndex != cpuIndex) index++;
        return index < _moments.Count ? Settled(index) : -1;
    }

    /// <summary>The same place, when interrupts there have been dealt with.</summary>
    public int Settled(int index)
    {
        while (index >= 0 && _moments[index].IsDelivery) index = NextIn(_moments[index].Frame, index);
        return index;
    }

    /// <summary>To the next line of the frame or right behind its call; -1: it never comes to that.</summary>
    public int Over(int index)
    {
        Moment from = _moments[index];
        int left = from.Frame.Parent is { } parent ? NextIn(parent, index) : -1;
        for (int i = NextIn(from.Frame, index); i >= 0 && (left < 0 || i < left); i = NextIn(from.Frame, i))
            if (BeginsStatement(i) && !IsSameLine(index, i)) return i;
        return left;
    }

    /// <summary>As <see cref="Over"/>, but to the first statement of a function with lines that is called.</summary>
    public int Into(int index)
    {
        int over = Over(index);
        Activation frame = _moments[index].Frame;
        for (int i = index + 1; i < _moments.Count && (over < 0 || i < over); i++)
        {
            if (_moments[i].Frame is not { IsCall: true } called || called.Parent != frame || !HasLine(i) || _byFrame[called][0] != i) continue;
            foreach (int inside in _byFrame[called])
                if (BeginsStatement(inside)) return inside;
            return NextIn(frame, i);
        }
        return over;
    }

    /// <summary>Behind the call.</summary>
    public int Out(int index) => _moments[index].Frame.Parent is { } parent ? NextIn(parent, index) : -1;

    /// <summary>To the call, or to what was interrupted.</summary>
    public int BackOut(int index) => _moments[index].Frame.Parent is { } parent ? LastIn(parent, index) : -1;

    /// <summary>To the beginning of the line that was left last in this frame; at its first one, to the line of the call.</summary>
    public int BackOver(int index)
    {
        Activation frame = _moments[index].Frame;
        int line = -1, at = index;
        while (true)
        {
            int before = LastIn(frame, at);
            if (before < 0)
            {
                if (line >= 0 || frame.Parent is null) return line;
                before = LastIn(frame.Parent, at);
                frame = frame.Parent;
                if (!HasLine(before)) return before;
            }
            at = before;
            if (!BeginsStatement(at)) continue;
            if (line >= 0 && !IsSameLine(line, at)) return line;
            line = at;
        }
    }

    private int NextIn(Activation frame, int index)
    {
        if (!_byFrame.TryGetValue(frame, out List<int>? indexes)) return -1;
        int place = indexes.BinarySearch(index + 1);
        if (place < 0) place = ~place;
        return place < indexes.Count ? indexes[place] : -1;
    }

    private int LastIn(Activation frame, int index)
    {
        if (!_byFrame.TryGetValue(frame, out List<int>? indexes)) return -1;
        int place = indexes.BinarySearch(index);
        if (place < 0) place = ~place;
        return place > 0 ? indexes[place - 1] : -1;
    }

    private int LowerBound(Position position)
    {
        int low = 0, high = _moments.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_moments[middle].At < position) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private CodePlace PlaceOf(int index) => _symbols.PlaceOf(_moments[index].Code);

    private bool BeginsStatement(int index) => PlaceOf(index).BeginsStatement(_moments[index].Code);

    // Steps by statements go by columns, too.
    private bool IsSameLine(int a, int b) => PlaceOf(a).IsSameLine(PlaceOf(b)) && (!_byStatement || PlaceOf(a).Location?.Column == PlaceOf(b).Location?.Column);
}
