using System;
using System.Collections.Generic;
using System.Linq;
using TestKit;
using Xunit;

namespace Extension.Tests;

/// <summary>The packaged extension in a real VS Code. What each scenario does is in <c>harness/scenarios.mjs</c>.</summary>
[Trait("Category", "Slow")]
public sealed class ScenarioTests(VisualStudioCode code) : IClassFixture<VisualStudioCode>
{
    private static readonly string[] s_scenarios =
    [
        "f5_without_launch_json", "editor_and_its_replay_button", "compare_recordings", "steps_back", "reverse_continue_to_a_data_breakpoint", "page_tables_in_variables", "page_tables_view",
        "timeline", "console_lines", "memory", "bad_launch_json", "machine", "locks_view", "locks_being_found", "calls_view", "variables", "reverse_steps_by_source", "live_guest",
        "saved_breakpoints", "bookmarks", "log_level", "confined_recording", "unconfined_recording", "translated_code", "light_theme", "high_contrast_theme",
    ];
    /// <summary>They boot images that have to be built or fetched first.</summary>
    private static readonly Dictionary<string, Action> s_imageScenarios = new(StringComparer.Ordinal)
    {
        ["linux"] = () =>
        {
            _ = GuestImages.LinuxCloudKernel();
            _ = GuestImages.Initramfs();
        },
        ["mcs_queue"] = () => _ = GuestImages.Own("concurrency-mcs.elf"),
        ["read_copy_update"] = () => _ = GuestImages.Own("concurrency-rcu-list-broken.elf"),
        ["channels"] = () => _ = GuestImages.Own("concurrency-channel-broken.elf"),
        ["lock_classes"] = () => _ = GuestImages.Own("concurrency-classes.elf"),
        ["living_classes"] = () => _ = GuestImages.Own("concurrency-classes.elf"),
        ["swaps"] = () => _ = GuestImages.Own("concurrency-stack-broken.elf"),
        ["typing"] = () => _ = GuestImages.Own("echo.elf"),
        ["attach_to_a_guest"] = () => _ = GuestImages.Own("echo.elf"),
    };

    public static TheoryData<string> Scenarios => [.. s_scenarios];

    public static TheoryData<string> ImageScenarios => [.. s_imageScenarios.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Scenario_passes(string scenario) => Check(scenario, s_scenarios);

    [Theory]
    [MemberData(nameof(ImageScenarios))]
    public void Scenario_with_an_image_passes(string scenario)
    {
        s_imageScenarios[scenario]();
        Check(scenario, [scenario]);
    }

    [Fact]
    public void Every_scenario_is_a_test() => Assert.Equal(s_scenarios.Concat(s_imageScenarios.Keys).Order(StringComparer.Ordinal), code.Scenarios);

    private void Check(string scenario, string[] together)
    {
        ScenarioOutcome outcome = code.OutcomeOf(scenario, together);
        Assert.True(outcome.Passed, outcome.Message + "\nScreenshots: artifacts/extension-tests/screenshots");
    }
}
