using System;
using System.Linq;
using Xunit;

namespace Extension.Tests;

/// <summary>The packaged extension in a real VS Code. What each scenario does is in <c>harness/scenarios.mjs</c>.</summary>
[Trait("Category", "Slow")]
public sealed class ScenarioTests(VisualStudioCode code) : IClassFixture<VisualStudioCode>
{
    private static readonly string[] s_scenarios =
    [
        "f5_without_launch_json", "editor_and_its_replay_button", "steps_back", "reverse_continue_to_a_data_breakpoint", "page_tables_in_variables", "page_tables_view",
        "timeline", "console_lines", "memory", "bad_launch_json", "machine", "light_theme", "high_contrast_theme",
    ];

    public static TheoryData<string> Scenarios => [.. s_scenarios];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Scenario_passes(string scenario)
    {
        ScenarioOutcome outcome = code.OutcomeOf(scenario);
        Assert.True(outcome.Passed, outcome.Message + "\nScreenshots: artifacts/extension-tests/screenshots");
    }

    [Fact]
    public void Every_scenario_is_a_test()
    {
        _ = code.OutcomeOf(s_scenarios[0]);
        Assert.Equal(s_scenarios.Order(StringComparer.Ordinal), code.Scenarios);
    }
}
