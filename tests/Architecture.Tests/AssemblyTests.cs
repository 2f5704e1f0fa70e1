using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace Architecture.Tests;

/// <summary>Imports run one way: Dap -> Introspection -> {Replay -> Vmm, Symbols}; Cli -> all.</summary>
public sealed class AssemblyTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Vmm"] = [],
        ["Symbols"] = [],
        ["Replay"] = ["Vmm"],
        ["Gdb"] = ["Vmm", "Replay"],
        ["Introspection"] = ["Vmm", "Replay", "Symbols"],
        ["Dap"] = ["Vmm", "Replay", "Symbols", "Introspection"],
        ["ttvm"] = ["Vmm", "Replay", "Symbols", "Introspection", "Dap", "Gdb"],
    };

    // Packages are a decision; the machine has one, the symbol reader none.
    private static readonly Dictionary<string, string[]> s_allowedPackages = new()
    {
        ["Vmm"] = ["Iced"],
        ["Symbols"] = [],
        ["Replay"] = ["Iced", "K4os.Compression.LZ4", "Microsoft.Extensions.Logging.Abstractions"],
    };

    public static TheoryData<string> Assemblies() => [.. s_allowed.Keys.Where(name => File.Exists(PathOf(name)))];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Imports_run_one_way(string name)
    {
        string[] references = [.. Load(name).GetReferencedAssemblies().Select(reference => reference.Name ?? "")];
        string[] wrong = [.. references.Where(reference => s_allowed.ContainsKey(reference) && !s_allowed[name].Contains(reference))];
        Assert.True(wrong.Length == 0, $"{name} must not reference {string.Join(", ", wrong)}");
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Packages_are_the_agreed_ones(string name)
    {
        if (!s_allowedPackages.TryGetValue(name, out string[]? packages)) return;
        string[] wrong = [.. Load(name).GetReferencedAssemblies().Select(reference => reference.Name ?? "")
            .Where(reference => !reference.StartsWith("System.", StringComparison.Ordinal) && reference is not "netstandard" and not "System")
            .Where(reference => !s_allowed.ContainsKey(reference) && !packages.Contains(reference))];
        Assert.True(wrong.Length == 0, $"{name} must not reference {string.Join(", ", wrong)}");
    }

    /// <summary>Several machines run side by side in one process, so that nothing static may change.</summary>
    [Theory]
    [InlineData("Vmm")]
    [InlineData("Replay")]
    public void No_static_changes(string name)
    {
        const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        string[] wrong = [.. from type in Load(name).GetTypes()
                             where !IsGenerated(type)
                             from field in type.GetFields(All)
                             where !field.IsLiteral && !field.IsInitOnly && (!IsGenerated(field) || IsOfProperty(field))
                             select $"{type.FullName}.{field.Name}"];
        Assert.True(wrong.Length == 0, $"static and not readonly: {string.Join(", ", wrong)}");
    }

    [Fact]
    public void The_assemblies_are_there() => Assert.Contains("Vmm", s_allowed.Keys.Where(name => File.Exists(PathOf(name))));

    private static bool IsGenerated(MemberInfo member) =>
        member.Name.Contains('<', StringComparison.Ordinal) || member.GetCustomAttribute<CompilerGeneratedAttribute>() is not null
        || (member.DeclaringType is { } outer && IsGenerated(outer));

    // The compiler's, but of a property that somebody has written.
    private static bool IsOfProperty(FieldInfo field) => field.Name.EndsWith(">k__BackingField", StringComparison.Ordinal);

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, name + ".dll");

    private static Assembly Load(string name) => Assembly.LoadFrom(PathOf(name));
}
