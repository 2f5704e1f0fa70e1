using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Introspection.Values;

/// <summary>How values of some types are shown, as a printer file declares it (docs/PRINTERS.md).</summary>
public sealed record TypePrinter
{
    /// <summary>Which types: names as C writes them, with <c>*</c> for anything.</summary>
    [JsonPropertyName("type")] public string? Type { get; init; }

    /// <summary>Only as this member: <c>struct super_block.s_inodes</c>.</summary>
    [JsonPropertyName("member")] public string? Member { get; init; }

    /// <summary>Only as the variable of this name.</summary>
    [JsonPropertyName("variable")] public string? Variable { get; init; }

    /// <summary>The line, with expressions in braces.</summary>
    [JsonPropertyName("text")] public string? Text { get; init; }

    /// <summary>What is in it, instead of its members.</summary>
    [JsonPropertyName("children")] public IReadOnlyList<PrintedChild>? Children { get; init; }

    [JsonPropertyName("list")] public PrintedList? List { get; init; }
    [JsonPropertyName("tree")] public PrintedTree? Tree { get; init; }
    [JsonPropertyName("array")] public PrintedArray? Array { get; init; }

    /// <summary>Names of numbers.</summary>
    [JsonPropertyName("enum")] public PrintedNames? Enum { get; init; }

    /// <summary>Names of bits.</summary>
    [JsonPropertyName("flags")] public PrintedNames? Flags { get; init; }

    /// <summary>An expression for an array or number whose bits are members of a set: 0-3,7.</summary>
    [JsonPropertyName("bits")] public string? Bits { get; init; }
}

/// <summary>A child with a name of its own.</summary>
public sealed record PrintedChild
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("expression")] public required string Expression { get; init; }
}

/// <summary>A chain: <c>node</c> is where it has come to.</summary>
public sealed record PrintedList
{
    [JsonPropertyName("first")] public required string First { get; init; }
    [JsonPropertyName("next")] public required string Next { get; init; }

    /// <summary>True behind the last node; null: the node is 0.</summary>
    [JsonPropertyName("until")] public string? Until { get; init; }

    /// <summary>What a node stands for; null: itself.</summary>
    [JsonPropertyName("element")] public string? Element { get; init; }
}

/// <summary>A binary tree, shown in its order: <c>node</c> is where it has come to.</summary>
public sealed record PrintedTree
{
    [JsonPropertyName("root")] public required string Root { get; init; }
    [JsonPropertyName("left")] public required string Left { get; init; }
    [JsonPropertyName("right")] public required string Right { get; init; }

    /// <summary>What a node stands for; null: itself.</summary>
    [JsonPropertyName("element")] public string? Element { get; init; }
}

/// <summary>Elements one after the other.</summary>
public sealed record PrintedArray
{
    /// <summary>A pointer to the first, or an array.</summary>
    [JsonPropertyName("first")] public required string First { get; init; }

    [JsonPropertyName("count")] public required string Count { get; init; }
}

/// <summary>Names of a number or of its bits.</summary>
public sealed record PrintedNames
{
    /// <summary>The number; null: the value itself.</summary>
    [JsonPropertyName("value")] public string? Value { get; init; }

    /// <summary>Each name's number or mask.</summary>
    [JsonPropertyName("names")] public IReadOnlyDictionary<string, ulong>? Names { get; init; }

    /// <summary>An enumeration of the program that has the names: <c>enum pageflags</c>.</summary>
    [JsonPropertyName("type")] public string? Type { get; init; }

    /// <summary>The enumeration numbers bits, rather than giving masks.</summary>
    [JsonPropertyName("areBitNumbers")] public bool AreBitNumbers { get; init; }
}

/// <summary>A printer file.</summary>
public sealed record PrinterFileContents
{
    [JsonPropertyName("$schema")] public string? Schema { get; init; }
    [JsonPropertyName("printers")] public IReadOnlyList<TypePrinter> Printers { get; init; } = [];
}

[JsonSourceGenerationOptions(ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PrinterFileContents))]
internal sealed partial class PrinterJson : JsonSerializerContext;
