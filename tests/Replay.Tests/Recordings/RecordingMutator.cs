using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Replay.Packages;

namespace Replay.Tests.Recordings;

/// <summary>
/// Makes hostile recordings of a good one. Most damage is put in below what guards against accidents: checksums, hashes and indices are made anew, so that it reaches what decodes.
/// </summary>
internal sealed partial class RecordingMutator
{
    private static readonly (string Part, string Index)[] s_framed =
        [(PartName.Log, PartName.LogIndex), (PartName.Checkpoints, PartName.CheckpointIndex), (PartName.Pages, PartName.PageIndex)];

    private static readonly string[] s_numbers =
        ["0", "-1", "1", "2", "255", "4096", "65536", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807", "18446744073709551615", "1e308", "null", "\"x\"", "[]"];

    private sealed record Piece(FrameKind Kind, byte[] Meta, byte[] Payload);

    private readonly string _folder;
    private readonly byte[] _whole;
    private readonly Dictionary<string, byte[]> _parts = [];
    private readonly Dictionary<string, List<Piece>> _pieces = [];

    /// <param name="path">A good recording.</param>
    /// <param name="folder">For files that are needed meanwhile.</param>
    public RecordingMutator(string path, string folder)
    {
        _folder = folder;
        _whole = File.ReadAllBytes(path);
        using var container = new ZipContainerReader(path);
        foreach (string name in container.Names) _parts[name] = container.Get(name).ReadAll(Array.MaxLength);
        foreach ((string part, string index) in s_framed)
        {
            FrameTable table = FrameTable.ReadIndex(container.Get(index), container.Get(part));
            _pieces[part] = [.. Enumerable.Range(0, table.Count).Select(i => new Piece(table[i].Kind, table.Meta(i).ToArray(), table.ReadPayload(i)))];
        }
    }

    /// <summary>Writes a hostile recording; a function of the random numbers. Returns what was done to it.</summary>
    public string Write(string path, Random random)
    {
        int kind = random.Next(10);
        if (kind == 0)
        {
            byte[] bytes = (byte[])_whole.Clone();
            Damage(ref bytes, random);
            File.WriteAllBytes(path, bytes);
            return "bytes of the file";
        }
        var parts = new Dictionary<string, byte[]>(_parts);
        string what;
        if (kind == 1)
        {
            // A part as it is, index, hashes, image: what it says is believed, as its hash is right.
            what = parts.Keys.Where(static name => name != PartName.Manifest).Order(StringComparer.Ordinal).ElementAt(random.Next(parts.Count - 1));
            byte[] content = (byte[])parts[what].Clone();
            Damage(ref content, random);
            parts[what] = content;
        }
        else if (kind == 2) what = "index of " + ChangeIndex(parts, random);
        else if (kind <= 7) what = "frames of " + ChangeFrames(parts, random);
        else what = "manifest";
        RecordingManifest manifest = ManifestJson.Read(parts[PartName.Manifest], path);
        manifest = manifest with { Parts = [.. manifest.Parts.Select(part => part with { SizeBytes = parts[part.Name].Length, Sha256 = Hash(parts[part.Name]) })] };
        manifest = manifest with { Images = [.. manifest.Images.Select(image => image with { SizeBytes = parts[image.Part].Length, Sha256 = Hash(parts[image.Part]) })] };
        byte[] json = ManifestJson.Write(manifest with { Identity = RecordingPacker.IdentityOf(manifest).ToString() });
        if (kind >= 8) json = ChangeManifest(json, random);
        using var container = new ZipContainerWriter(path);
        foreach ((string name, byte[] content) in parts) container.Add(name, name == PartName.Manifest ? json : content);
        container.Finish();
        return what;
    }

    private static string ChangeIndex(Dictionary<string, byte[]> parts, Random random)
    {
        (string part, string index) = s_framed[random.Next(s_framed.Length)];
        byte[] old = parts[index];
        FrameInfo info = Frame.ParseHeader(old, 0)!.Value;
        byte[] payload = Frame.Unpack(old, info)!;
        Damage(ref payload, random);
        parts[index] = Build(FrameKind.Index, [], payload);
        return part;
    }

    private string ChangeFrames(Dictionary<string, byte[]> parts, Random random)
    {
        (string part, string index) = s_framed[random.Next(s_framed.Length)];
        List<Piece> pieces = [.. _pieces[part]];
        for (int n = random.Next(1, 3); n > 0 && pieces.Count > 0; n--)
        {
            int at = random.Next(pieces.Count);
            (FrameKind kind, byte[] meta, byte[] payload) = pieces[at];
            switch (random.Next(8))
            {
                case 0:
                    pieces.RemoveAt(at);
                    continue;
                case 1:
                    pieces.Insert(at, pieces[random.Next(pieces.Count)]);
                    continue;
                case 2 or 3:
                    meta = (byte[])meta.Clone();
                    Damage(ref meta, random);
                    break;
                default:
                    payload = (byte[])payload.Clone();
                    Damage(ref payload, random);
                    break;
            }
            pieces[at] = new Piece(kind, meta, payload);
        }
        parts[part] = [.. pieces.SelectMany(static piece => Build(piece.Kind, piece.Meta, piece.Payload))];
        string file = Path.Combine(_folder, "part");
        File.WriteAllBytes(file, parts[part]);
        using FileStream stream = File.OpenRead(file);
        parts[index] = FrameTable.Scan(new PartReader(stream.SafeFileHandle, file, part, stream.Length)).BuildIndex();
        return part;
    }

    private static byte[] ChangeManifest(byte[] json, Random random)
    {
        string text = Encoding.UTF8.GetString(json);
        // Above all the numbers of the machine and of the end: those of parts are compared at once.
        MatchCollection numbers = Number().Matches(text[..Math.Min(text.Length, random.Next(3) == 0 ? text.Length : 1200)]);
        if (random.Next(4) > 0 && numbers.Count > 0)
        {
            Match one = numbers[random.Next(numbers.Count)];
            return Encoding.UTF8.GetBytes($"{text[..one.Index]}{s_numbers[random.Next(s_numbers.Length)]}{text[(one.Index + one.Length)..]}");
        }
        Damage(ref json, random);
        return json;
    }

    private static void Damage(ref byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return;
        byte[] extremes = [0, 1, 0x7F, 0x80, 0xC0, 0xC6, 0xDD, 0xDF, 0xFF];
        for (int n = random.Next(1, 5); n > 0 && bytes.Length > 0; n--)
        {
            int at = random.Next(bytes.Length), length = Math.Min(random.Next(1, 17), bytes.Length - at);
            switch (random.Next(6))
            {
                case 0: bytes = bytes[..at]; break;
                case 1: bytes = [.. bytes[..at], .. bytes[(at + length)..]]; break;
                case 2: bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..].Take(length), .. bytes[at..]]; break;
                case 3: bytes.AsSpan(at, length).Fill(extremes[random.Next(extremes.Length)]); break;
                case 4: bytes[at] = extremes[random.Next(extremes.Length)]; break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }
    }

    private static byte[] Build(FrameKind kind, byte[] meta, byte[] payload)
    {
        using var frame = new MemoryStream();
        Frame.Build(frame, kind, meta, payload, kind is FrameKind.PageChunk or FrameKind.Checkpoint ? FrameCompression.Lz4 : FrameCompression.Zlib);
        return frame.ToArray();
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    [GeneratedRegex(@"(?<=: ?)-?\d+\b")]
    private static partial Regex Number();
}
