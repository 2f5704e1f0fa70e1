using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Introspection.Layouts;
using TestKit;
using Xunit;

namespace Introspection.Tests.Layouts;

/// <summary>The schema of layout files: it allows all files that there are, and says the same as the reader.</summary>
public sealed class SchemaTests
{
    private static readonly JsonObject s_schema = JsonNode.Parse(File.ReadAllText(Repository.PathOf("vscode-extension/schemas/layout.schema.json")))!.AsObject();
    private static readonly JsonDocumentOptions s_options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Repository.PathOf("guests"), "*.layout.json", SearchOption.AllDirectories)
        .Concat(Directory.EnumerateFiles(Repository.PathOf("src/Introspection/Layouts/BuiltIn"), "*.layout.json")).Select(Repository.RelativePath).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_layout_is_valid(string file)
    {
        JsonNode layout = JsonNode.Parse(File.ReadAllText(Repository.PathOf(file)), documentOptions: s_options)!;
        Assert.Empty(Violations(layout, s_schema, "$"));
        LayoutFile.Parse(File.ReadAllBytes(Repository.PathOf(file)), file);
    }

    /// <summary>The names, whether they must be there, and what is in them: for every type that is read.</summary>
    [Fact]
    public void The_reader_accepts_what_the_schema_allows()
    {
        var seen = new HashSet<Type>();
        Compare(typeof(GuestLayout), s_schema, seen);
        Assert.Equal(seen.Where(static type => type != typeof(GuestLayout)).Select(static type => type.Name).Order(StringComparer.Ordinal),
            s_schema["definitions"]!.AsObject().Select(static one => one.Key).Order(StringComparer.Ordinal));
    }

    // Both refuse it.
    [Theory]
    [InlineData("""{"types":{"x":{"kind":"round"}}}""")]
    [InlineData("""{"types":{"x":{"kind":"spin","locked":{"offset":0,"bytes":3}}}}""")]
    [InlineData("""{"types":{"x":{"locked":{"offset":0}}}}""")]
    [InlineData("""{"types":{"x":{"kind":"spin","locked":{"offset":0},"acquire":[{"functions":[]}]}}}""")]
    [InlineData("""{"types":{"x":{"kind":"spin","locked":{"offset":0},"heldBy":"moon"}}}""")]
    [InlineData("""{"types":{"x":{"kind":"spin","locked":{"offset":"a"}}}}""")]
    [InlineData("""{"lock":[]}""")]
    [InlineData("""{"rcu":{"published":[{"at":"a","stride":4,"count":2}]}}""")]
    [InlineData("""{"rcu":{"readers":{"at":"a"}}}""")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"sequence":{"offset":0},"slots":0,"messageBytes":8}]}""")]
    public void What_is_wrong_is_wrong_for_both(string json)
    {
        Assert.NotEmpty(Violations(JsonNode.Parse(json)!, s_schema, "$"));
        Assert.Throws<LayoutException>(() => LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "a test"));
    }

    private static void Compare(Type type, JsonObject schema, HashSet<Type> seen)
    {
        if (!seen.Add(type)) return;
        JsonObject properties = schema["properties"]!.AsObject();
        PropertyInfo[] read = [.. type.GetProperties().Where(static one => one.GetCustomAttribute<JsonPropertyNameAttribute>() is not null)];
        Assert.Equal(read.Select(NameOf).Order(StringComparer.Ordinal), properties.Select(static one => one.Key).Order(StringComparer.Ordinal));
        Assert.Equal(read.Where(static one => one.GetCustomAttribute<RequiredMemberAttribute>() is not null).Select(NameOf).Order(StringComparer.Ordinal),
            (schema["required"]?.AsArray() ?? []).Select(static one => (string)one!).Order(StringComparer.Ordinal));
        Assert.False((bool)schema["additionalProperties"]!);
        foreach (PropertyInfo property in read)
        {
            JsonObject inner = Resolve(properties[NameOf(property)]!.AsObject());
            Type of = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            string expected = of == typeof(string) ? "string" : of == typeof(bool) ? "boolean" : of.IsPrimitive ? "integer"
                : of.IsGenericType && of.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? "array" : "object";
            Assert.True(expected == (string)inner["type"]!, $"{type.Name}.{NameOf(property)} is {inner["type"]}");
            if (of.IsGenericType)
            {
                of = of.GetGenericArguments()[^1];
                inner = Resolve((inner["items"] ?? inner["additionalProperties"])!.AsObject());
            }
            if (of != typeof(string) && !of.IsPrimitive) Compare(of, inner, seen);
        }
    }

    private static string NameOf(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name;

    private static JsonObject Resolve(JsonObject schema)
    {
        JsonObject one = schema["allOf"] is JsonArray all ? Assert.Single(all)!.AsObject() : schema;
        return one["$ref"] is { } reference ? s_schema["definitions"]![((string)reference!)["#/definitions/".Length..]]!.AsObject() : one;
    }

    // As much of JSON Schema (draft-07) as the schema uses.
    private static IEnumerable<string> Violations(JsonNode? value, JsonObject outer, string at)
    {
        JsonObject schema = Resolve(outer);
        JsonValueKind kind = value?.GetValueKind() ?? JsonValueKind.Null;
        bool isRight = (string)schema["type"]! switch
        {
            "object" => kind == JsonValueKind.Object, "array" => kind == JsonValueKind.Array, "string" => kind == JsonValueKind.String,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False, _ => kind == JsonValueKind.Number && (decimal)value! % 1 == 0,
        };
        if (!isRight) return [$"{at} is {kind}"];
        var violations = new List<string>();
        if (schema["enum"] is JsonArray allowed && !allowed.Any(one => JsonNode.DeepEquals(one, value))) violations.Add($"{at} is none of {allowed.ToJsonString()}");
        if (kind == JsonValueKind.Number && value!.GetValue<decimal>() is var number && (number < (decimal?)schema["minimum"] || number > (decimal?)schema["maximum"]))
            violations.Add($"{at} is out of bounds");
        if (value is JsonArray array)
        {
            if (array.Count < (int?)schema["minItems"]) violations.Add($"{at} has too few");
            for (int i = 0; i < array.Count; i++) violations.AddRange(Violations(array[i], schema["items"]!.AsObject(), $"{at}[{i}]"));
        }
        if (value is not JsonObject members) return violations;
        foreach (JsonNode? name in schema["required"]?.AsArray() ?? [])
            if (!members.ContainsKey((string)name!)) violations.Add($"{at} lacks {name}");
        foreach ((string name, JsonNode? member) in members)
        {
            if ((schema["properties"]?[name] ?? schema["additionalProperties"]) is JsonObject inner) violations.AddRange(Violations(member, inner, $"{at}.{name}"));
            else violations.Add($"{at} must not have {name}");
        }
        return violations;
    }
}
