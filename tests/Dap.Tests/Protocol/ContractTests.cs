using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dap.Protocol;
using TestKit;
using Xunit;

namespace Dap.Tests.Protocol;

/// <summary>The contract of our own requests is written down twice: for the extension in protocol.ts, for the server in Ttvm*.cs. They say the same.</summary>
public sealed partial class ContractTests
{
    private static readonly string s_contract = BlockComment().Replace(File.ReadAllText(Repository.PathOf("vscode-extension/src/protocol.ts")), "");

    public static TheoryData<string> Interfaces() => [.. Interface().Matches(s_contract).Select(static match => match.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Record_has_the_same_members(string name)
    {
        Type? type = typeof(TtvmNoArguments).Assembly.GetType("Dap.Protocol." + name);
        Assert.True(type is not null, $"there is no record {name}");
        SortedDictionary<string, bool> expected = Members(name), actual = new(StringComparer.Ordinal);
        foreach (PropertyInfo property in type!.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>() is not { } attribute) continue;
            bool isRequired = property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null;
            actual.Add(attribute.Name, !isRequired);
        }
        // A program has to be named; that it is not has a sentence of its own, so that the record lets it through.
        if (name == nameof(TtvmLaunchArguments)) expected["program"] = true;
        Assert.Equal(Text(expected), Text(actual));
    }

    [Fact]
    public void Every_record_is_in_the_contract()
    {
        string[] known = [.. Interface().Matches(s_contract).Select(static match => match.Groups[1].Value)];
        string[] more = [.. typeof(TtvmNoArguments).Assembly.GetTypes().Where(static type => type.Namespace == "Dap.Protocol" && type.IsPublic
                && type.Name.StartsWith("Ttvm", StringComparison.Ordinal) && type != typeof(TtvmNoArguments))
            .Select(static type => type.Name).Except(known).Order(StringComparer.Ordinal)];
        Assert.True(more.Length == 0, $"protocol.ts lacks {string.Join(", ", more)}");
    }

    [Fact]
    public void The_comparison_sees_differences()
    {
        Assert.True(Members("TtvmSeekArguments").ContainsKey("position"));
        Assert.True(Members("TtvmPageTableArguments")["path"]);
        Assert.False(Members("TtvmPageTable")["entries"]);
        Assert.True(Members("TtvmLocks").ContainsKey("problem"));
        Assert.True(Members("TtvmLaunchArguments").ContainsKey("sourceMap"));
    }

    // Name and whether it may be missing.
    private static SortedDictionary<string, bool> Members(string name)
    {
        Match match = Interface().Matches(s_contract).Single(one => one.Groups[1].Value == name);
        var members = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        int depth = 1, start = match.Index + match.Length, at = start;
        while (depth > 0)
        {
            if (s_contract[at] is '{') depth++;
            else if (s_contract[at] is '}') depth--;
            at++;
        }
        // What is inside braces of a member's type is not a member.
        string body = InnerBraces().Replace(LineComment().Replace(s_contract[start..(at - 1)], ""), "object");
        foreach (Match member in Member().Matches(body)) members.Add(member.Groups[1].Value, member.Groups[2].Length > 0);
        return members;
    }

    private static string Text(SortedDictionary<string, bool> members) =>
        string.Join('\n', members.Select(static member => string.Create(CultureInfo.InvariantCulture, $"{member.Key}{(member.Value ? "?" : "")}")));

    [GeneratedRegex(@"export interface (\w+) \{")]
    private static partial Regex Interface();

    [GeneratedRegex(@"(?:^|;|\n)\s*(\w+)(\??):", RegexOptions.None)]
    private static partial Regex Member();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex BlockComment();

    [GeneratedRegex(@"//.*")]
    private static partial Regex LineComment();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex InnerBraces();
}
