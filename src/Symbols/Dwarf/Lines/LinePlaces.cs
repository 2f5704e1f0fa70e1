using System;

namespace Symbols.Dwarf.Lines;

/// <summary>The points of one line program, one before each row whose number is a multiple of <see cref="LinePoints.RowsPerPoint"/>, and its sequences.</summary>
internal interface ILinePlaces
{
    int PointCount { get; }

    /// <summary>What they take in memory, roughly.</summary>
    long SizeBytes { get; }

    /// <summary>The sequence that has the address.</summary>
    bool TryFindSequence(ulong address, out LineSequence sequence);

    /// <summary>The registers before a point's row.</summary>
    LineState StateOf(int point);

    /// <summary>The address of a point's row.</summary>
    ulong AddressOf(int point);
}

/// <summary>In memory, of a program that was run.</summary>
internal sealed class LinePlaces : ILinePlaces
{
    private readonly LineState[] _states;
    private readonly ulong[] _addresses;
    private readonly LineSequence[] _sequences;
    private RangeMap? _map;

    /// <param name="table">May be given back then.</param>
    internal LinePlaces(LineTable table)
    {
        ReadOnlySpan<LineRow> rows = table.Rows;
        _addresses = new ulong[(rows.Length + LinePoints.RowsPerPoint - 1) / LinePoints.RowsPerPoint];
        for (int i = 0; i < _addresses.Length; i++) _addresses[i] = rows[i * LinePoints.RowsPerPoint].Address;
        _states = [.. table.States];
        _sequences = [.. table.Sequences];
    }

    public int PointCount => _addresses.Length;

    public long SizeBytes => (_states.Length * 48L) + (_sequences.Length * 56L);

    public bool TryFindSequence(ulong address, out LineSequence sequence)
    {
        _map ??= LineTable.MapOf(_sequences);
        bool isThere = _map.TryFind(address, out int index);
        sequence = isThere ? _sequences[index] : default;
        return isThere;
    }

    public LineState StateOf(int point) => _states[point];

    public ulong AddressOf(int point) => _addresses[point];
}
