using System;
using System.Collections.Generic;
using System.Text;
using Symbols.Dwarf.Lines;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>From a source file and line to addresses, by an <see cref="IndexFile"/>: no line program is read.</summary>
internal sealed class IndexedSources
{
    private readonly IndexFile _file;
    private readonly List<string> _compilerPaths = [];
    private readonly List<string> _paths = [];
    private readonly Dictionary<string, List<int>> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _byFileName = new(StringComparer.Ordinal);

    internal IndexedSources(IndexFile file)
    {
        _file = file;
        int count = Math.Max(0, file.Count(IndexFile.Part.Files, 12) - 1);
        for (int i = 0; i < count; i++)
        {
            string written = Encoding.UTF8.GetString(file.Slice(IndexFile.Part.Paths, file.Number(IndexFile.Part.Files, i * 3), file.Number(IndexFile.Part.Files, (i * 3) + 3)));
            _compilerPaths.Add(written);
            string path = SourcePath.Normalize(written);
            if (!_byPath.TryGetValue(path, out List<int>? spelled))
            {
                _byPath[path] = spelled = [];
                _paths.Add(path);
                string name = SourcePath.FileName(path);
                if (!_byFileName.TryGetValue(name, out List<string>? same)) _byFileName[name] = same = [];
                same.Add(path);
            }
            spelled.Add(i);
        }
    }

    /// <summary>Normalized paths of all files that a line program names.</summary>
    public IReadOnlyList<string> Paths => _paths;

    /// <summary>All rows of a file, of one line or of every line (0), in mapped code, by address.</summary>
    public List<LineAddress> Rows(string path, uint line)
    {
        var found = new List<LineAddress>();
        List<int> files = FilesOf(path);
        foreach (int file in files)
        {
            var walk = new Walk(_file, file, line);
            while (walk.MoveNext(out SourceRows.Row row))
            {
                if (line != 0 && row.Line > line) break;
                if (line == 0 || row.Line == line) found.Add(Address(file, row));
            }
        }
        // The rows of one line are in this order already.
        if (line == 0 || files.Count > 1) found.Sort(Compare);
        return found;
    }

    /// <summary>The first line of a file from the given one on that has a statement; 0: there is none.</summary>
    public uint NextStatementLine(string path, uint line)
    {
        uint next = 0;
        foreach (int file in FilesOf(path))
        {
            var walk = new Walk(_file, file, line);
            while (walk.MoveNext(out SourceRows.Row row))
            {
                if (row.Line < line || (row.Flags & LineRowFlags.IsStatement) == 0) continue;
                if (next == 0 || row.Line < next) next = row.Line;
                break;
            }
        }
        return next;
    }

    /// <summary>By address, rows with code first; the rest only makes the order the same however they were found.</summary>
    internal static int Compare(LineAddress a, LineAddress b)
    {
        int order = a.Address.CompareTo(b.Address);
        if (order == 0) order = b.HasCode.CompareTo(a.HasCode);
        if (order == 0) order = a.Line.CompareTo(b.Line);
        if (order == 0) order = a.Column.CompareTo(b.Column);
        if (order == 0) order = a.Flags.CompareTo(b.Flags);
        return order != 0 ? order : string.CompareOrdinal(a.Path, b.Path);
    }

    private LineAddress Address(int file, in SourceRows.Row row) => new(row.Address, _compilerPaths[file], row.Line, row.Column, row.Flags, row.HasCode);

    private List<int> FilesOf(string path)
    {
        string normalized = SourcePath.Normalize(path);
        if (_byPath.TryGetValue(normalized, out List<int>? exact)) return exact;
        var files = new List<int>();
        if (!_byFileName.TryGetValue(SourcePath.FileName(normalized), out List<string>? candidates)) return files;
        foreach (string candidate in candidates)
            if (SourcePath.Matches(candidate, normalized)) files.AddRange(_byPath[candidate]);
        return files;
    }

    /// <summary>The rows of a file from the last stop before a line on, read from stop to stop.</summary>
    private ref struct Walk
    {
        private readonly IndexFile _file;
        private readonly uint _endStop;
        private readonly ulong _start, _end;
        private uint _stop;
        private DataReader _reader;
        private SourceRows.Row _last;

        internal Walk(IndexFile file, int index, uint line)
        {
            _file = file;
            _stop = file.Number(IndexFile.Part.Files, (index * 3) + 2);
            _endStop = Math.Min(file.Number(IndexFile.Part.Files, (index * 3) + 5), (uint)file.Count(IndexFile.Part.Stops, 8));
            _start = file.Number(IndexFile.Part.Files, (index * 3) + 1);
            _end = file.Number(IndexFile.Part.Files, (index * 3) + 4);
            // The line's rows may begin before the first stop that names it.
            uint low = _stop, high = Math.Max(_stop, _endStop);
            while (low < high)
            {
                uint middle = low + ((high - low) / 2);
                if (file.Number(IndexFile.Part.Stops, (int)middle * 2) < line) low = middle + 1;
                else high = middle;
            }
            if (low > _stop) _stop = low - 1;
        }

        internal bool MoveNext(out SourceRows.Row row)
        {
            row = default;
            while (_reader.AtEnd)
            {
                if (_stop >= _endStop) return false;
                ulong start = _start + Place(_stop), end = _stop + 1 < _endStop ? _start + Place(_stop + 1) : _end;
                _reader = new DataReader(_file.Slice(IndexFile.Part.Rows, start, Math.Min(end, _end)));
                _last = default;
                _stop++;
            }
            row = _last = SourceRows.Row.Read(ref _reader, _last);
            return !_reader.Failed;
        }

        private readonly uint Place(uint stop) => _file.Number(IndexFile.Part.Stops, ((int)stop * 2) + 1);
    }
}
