using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Cli.Tests;

/// <summary>What lies in ci/ for CI systems: YAML is read by a parser, shell is executed as the systems execute it, and docs/CI.md's commands are run.</summary>
public sealed partial class CiTests(DemoRecording demo)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static readonly DocumentedCommands s_page = new("docs/CI.md");

    [Fact]
    public void Every_block_of_the_page_is_tested() => Assert.Equal(["verify", "log", "rerun", "diff", "merge", "script"], s_page.Names);

    [Theory]
    [InlineData("verify", "results.xml")]
    [InlineData("log", "verify.log")]
    [InlineData("rerun", "again.ttvm.bookmarks.json", "rerun.xml")]
    [InlineData("diff", "difference.json")]
    [InlineData("merge", "1.json", "2.json")]
    [InlineData("script", "ttvm-results/verify.xml", "ttvm-results/demo32.xml")]
    public void The_pages_commands_work(string block, params string[] made)
    {
        foreach (string guest in (string[])["concurrency-deadlock-broken.elf", "concurrency-deadlock.elf", "demo32.elf"]) GuestImages.Own(guest);
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf($"ci-page-{block}"));
        s_page.Run(block, folder, s_patience);
        Assert.All(made, name => Assert.True(new FileInfo(Path.Combine(folder, name)).Length > 0, $"{name} was not made"));
    }

    [Fact]
    public void The_page_names_what_is_there()
    {
        string[] files = [.. FileInTable().Matches(s_page.Text).Select(static match => match.Groups["file"].Value)];
        Assert.Equal(Directory.EnumerateFiles(Repository.PathOf("ci")).Select(Repository.RelativePath).Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
        foreach (string script in files.Where(static file => file.EndsWith(".sh", StringComparison.Ordinal)))
            Assert.True(HostTool.Run("test", ["-x", Repository.PathOf(script)], s_patience).ExitCode == 0, $"{script} cannot be executed");
        // The workflow that it shows, too, is YAML, and gives the action inputs that it has.
        string workflow = Workflow().Match(s_page.Text).Groups["body"].Value;
        YamlMappingNode step = Sequence(Mapping(Mapping(Parse(workflow), "jobs"), "recordings"), "steps").OfType<YamlMappingNode>().Last();
        Assert.EndsWith("/ci@v1", Text(step, "uses"), StringComparison.Ordinal);
        HashSet<string> inputs = [.. Keys(Mapping(Load("ci/action.yml"), "inputs"))];
        Assert.All(Keys(Mapping(step, "with")), name => Assert.Contains(name, inputs));
    }

    [Fact]
    public void The_action_is_whole()
    {
        YamlMappingNode action = Load("ci/action.yml"), runs = Mapping(action, "runs");
        Assert.Equal(["name", "description", "inputs", "outputs", "runs"], Keys(action));
        Assert.Equal("composite", Text(runs, "using"));
        YamlMappingNode[] steps = [.. Sequence(runs, "steps").Cast<YamlMappingNode>()];
        // A step is another action, or a script with its shell.
        Assert.All(steps, static step => Assert.True(Has(step, "uses") != (Has(step, "run") && Has(step, "shell"))));
        string text = File.ReadAllText(Repository.PathOf("ci/action.yml"));
        string[] inputs = [.. Keys(Mapping(action, "inputs"))], used = [.. InputUsed().Matches(text).Select(static match => match.Groups["name"].Value).Distinct()];
        Assert.Equal(inputs.Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
        string[] ids = [.. steps.Where(static step => Has(step, "id")).Select(static step => Text(step, "id"))];
        Assert.All(StepUsed().Matches(text), match => Assert.Contains(match.Groups["id"].Value, ids));
    }

    [Fact]
    public void The_actions_script_verifies()
    {
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf("action-verify"));
        ToolResult result = RunAction(folder, new() { ["recordings"] = "traces/echo.ttvm traces/demo32.ttvm", ["shard"] = "2/2" });
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Contains("traces/demo32.ttvm: good.", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("echo", result.Output, StringComparison.Ordinal);
        Assert.Equal("status=0\n", File.ReadAllText(Path.Combine(folder, "outputs")));
        Assert.Contains("demo32.ttvm: good.", File.ReadAllText(Path.Combine(folder, "summary")), StringComparison.Ordinal);
        Assert.Single(JUnitFile.Read(Path.Combine(folder, "ttvm-results/verify.xml")).Cases);
    }

    [Fact]
    public void The_actions_script_fails_for_a_damaged_recording()
    {
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf("action-damaged"));
        byte[] content = File.ReadAllBytes(Repository.PathOf("traces/echo.ttvm"));
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(Path.Combine(folder, "bad.ttvm"), content);
        ToolResult result = RunAction(folder, new() { ["recordings"] = "*.ttvm traces/demo32.ttvm" });
        Assert.Equal(3, result.ExitCode);
        Assert.Equal("status=3\n", File.ReadAllText(Path.Combine(folder, "outputs")));
        Assert.Contains("traces/demo32.ttvm: good.", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_actions_script_reruns_a_kernel_and_keeps_what_fails()
    {
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf("action-rerun"));
        GuestImages.Own("demo32.elf");
        File.Copy(Repository.PathOf("traces/demo32.ttvm"), Path.Combine(folder, "good.ttvm"));
        File.Copy(Repository.PathOf("traces/demo32.ttvm"), Path.Combine(folder, "bad.ttvm"));
        File.WriteAllText(Path.Combine(folder, "bad.expect"), "never prints OK\n");
        ToolResult result = RunAction(folder, new() { ["recordings"] = "good.ttvm bad.ttvm", ["kernel"] = "artifacts/guests/demo32.elf" });
        Assert.True(result.ExitCode == 1, result.Output + result.Error);
        Assert.Equal("status=1\n", File.ReadAllText(Path.Combine(folder, "outputs")));
        string results = Path.Combine(folder, "ttvm-results");
        Assert.Equal(["bad.rerun.ttvm", "bad.rerun.ttvm.bookmarks.json", "bad.txt", "bad.xml", "good.txt", "good.xml"],
            Directory.EnumerateFiles(results).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal("failure", JUnitFile.Read(Path.Combine(results, "bad.xml")).Of("never prints OK").Result);
        Assert.Equal("good", JUnitFile.Read(Path.Combine(results, "good.xml")).Of("no panic").Result);
        Ttvm.Good("verify", Path.Combine(results, "bad.rerun.ttvm"));
    }

    [Fact]
    public void The_GitLab_job_works()
    {
        YamlMappingNode job = Mapping(Load("ci/ttvm.gitlab-ci.yml"), ".ttvm");
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf("gitlab"));
        string script = string.Join('\n', Sequence(job, "script").Select(static line => line.ToString())).Replace("/opt/ttvm/ci/", Repository.PathOf("ci") + "/", StringComparison.Ordinal);
        var variables = Mapping(job, "variables").Children.ToDictionary(static pair => pair.Key.ToString(), static pair => pair.Value.ToString());
        variables["CI_NODE_INDEX"] = "1";
        variables["CI_NODE_TOTAL"] = "3";
        ToolResult result = RunShell(script, variables, folder);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        // Of what there is, the first job of three takes every third, beginning with the first.
        int third = (Directory.GetFiles(Repository.PathOf("traces"), "*.ttvm").Length + 2) / 3;
        Assert.Contains($"{third} recordings: all good", result.Output, StringComparison.Ordinal);
        // What it says it uploads is there.
        YamlMappingNode artifacts = Mapping(job, "artifacts");
        string report = Text(Mapping(artifacts, "reports"), "junit");
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(folder, Path.GetDirectoryName(report)!), Path.GetFileName(report)));
        Assert.All(Sequence(artifacts, "paths"), path => Assert.True(Directory.Exists(Path.Combine(folder, path.ToString()))));
        Assert.Equal("ttvm-results", variables["TTVM_OUTPUT"]);
    }

    [Fact]
    public void The_Kubernetes_job_tells_its_pods_how_many_there_are()
    {
        YamlMappingNode job = Load("ci/kubernetes-job.yaml"), spec = Mapping(job, "spec");
        Assert.Equal(("batch/v1", "Job", "Indexed"), (Text(job, "apiVersion"), Text(job, "kind"), Text(spec, "completionMode")));
        var container = (YamlMappingNode)Sequence(Mapping(Mapping(spec, "template"), "spec"), "containers")[0];
        YamlMappingNode variable = Assert.IsType<YamlMappingNode>(Assert.Single(Sequence(container, "env")));
        Assert.Equal(("JOB_COMPLETIONS", Text(spec, "completions")), (Text(variable, "name"), Text(variable, "value")));
        Assert.Equal(["verify", "/recordings"], Sequence(container, "args").Select(static one => one.ToString()));
        Assert.Equal("/recordings", Text((YamlMappingNode)Assert.Single(Sequence(container, "volumeMounts")), "mountPath"));
        ToolResult help = Ttvm.Expect(0, "verify", "--help");
        Assert.Contains("JOB_COMPLETIONS", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Slurm_array_is_the_whole_search()
    {
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf("slurm")), script = Repository.PathOf("ci/slurm-array.sh");
        string[] search = ["traces/demo64-lost-update.ttvm", "--call", "put"];
        for (int task = 0; task < 3; task++)
        {
            ToolResult part = HostTool.Run("env", [$"TTVM={Ttvm.Program}", $"SLURM_ARRAY_TASK_ID={task}", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=0", script, .. search],
                s_patience, folder);
            Assert.True(part.ExitCode == 0, part.Error);
        }
        ToolResult merged = RunShell("ttvm merge parts/*.json", [], folder), whole = HostTool.Run(Ttvm.Program, ["find", .. search, "--json"], s_patience, folder);
        Assert.Equal(whole.Output, merged.Output);
        Assert.Matches(@"(?m)^#SBATCH --array=0-\d+$", File.ReadAllText(script));
    }

    [Theory]
    [InlineData("ci/check-recordings.sh")]
    [InlineData("ci/slurm-array.sh")]
    public void Scripts_parse(string script) => Assert.Equal("", HostTool.Run("/bin/bash", ["-n", Repository.PathOf(script)], s_patience).Error);

    private static ToolResult RunAction(string folder, Dictionary<string, string> inputs)
    {
        YamlMappingNode action = Load("ci/action.yml");
        YamlMappingNode step = Sequence(Mapping(action, "runs"), "steps").Cast<YamlMappingNode>().Single(static one => Has(one, "run"));
        var all = Mapping(action, "inputs").Children.ToDictionary(static one => one.Key.ToString(), static one => Text((YamlMappingNode)one.Value, "default"));
        foreach ((string name, string value) in inputs) all[name] = value;
        string Substitute(string text) => InputUsed().Replace(text, match => all[match.Groups["name"].Value]);
        var variables = Mapping(step, "env").Children.ToDictionary(static one => one.Key.ToString(), one => Substitute(one.Value.ToString()));
        variables["GITHUB_ACTION_PATH"] = Repository.PathOf("ci");
        variables["GITHUB_OUTPUT"] = Path.Combine(folder, "outputs");
        variables["GITHUB_STEP_SUMMARY"] = Path.Combine(folder, "summary");
        return RunShell(Substitute(Text(step, "run")), variables, folder);
    }

    // As GitHub and GitLab run it: bash, ending at the first failure.
    private static ToolResult RunShell(string script, Dictionary<string, string> variables, string folder) => HostTool.Run("env",
        [.. variables.Select(static one => $"{one.Key}={one.Value}"), $"PATH={Ttvm.Folder}:{Environment.GetEnvironmentVariable("PATH")}", "/bin/bash", "-e", "-o", "pipefail", "-c", script],
        s_patience, folder);

    private static YamlMappingNode Load(string relativePath) => Parse(File.ReadAllText(Repository.PathOf(relativePath)));

    private static YamlMappingNode Parse(string text)
    {
        Assert.DoesNotContain("\t", text, StringComparison.Ordinal);
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return Assert.IsType<YamlMappingNode>(Assert.Single(stream.Documents).RootNode);
    }

    private static bool Has(YamlMappingNode node, string key) => node.Children.ContainsKey(new YamlScalarNode(key));

    private static YamlNode Child(YamlMappingNode node, string key)
    {
        Assert.True(Has(node, key), $"'{key}' is missing");
        return node.Children[new YamlScalarNode(key)];
    }

    private static YamlMappingNode Mapping(YamlMappingNode node, string key) => Assert.IsType<YamlMappingNode>(Child(node, key));

    private static IList<YamlNode> Sequence(YamlMappingNode node, string key) => Assert.IsType<YamlSequenceNode>(Child(node, key)).Children;

    private static string Text(YamlMappingNode node, string key) => Assert.IsType<YamlScalarNode>(Child(node, key)).Value ?? "";

    private static IEnumerable<string> Keys(YamlMappingNode node) => node.Children.Keys.Select(static key => key.ToString());

    [GeneratedRegex(@"^\| `(?<file>ci/[\w.-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex FileInTable();

    [GeneratedRegex(@"```yaml\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Workflow();

    [GeneratedRegex(@"\$\{\{ inputs\.(?<name>\w+) \}\}|inputs\.(?<name>\w+)")]
    private static partial Regex InputUsed();

    [GeneratedRegex(@"steps\.(?<id>\w+)\.")]
    private static partial Regex StepUsed();
}
