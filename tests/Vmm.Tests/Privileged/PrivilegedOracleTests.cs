using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Xunit;

namespace Vmm.Tests.Privileged;

/// <summary>
/// Privileged instructions and what they do to the whole state, against KVM. On a host that virtualizes by hardware KVM is the CPU itself; on one
/// that emulates, some scenarios have no answer and are counted.
/// </summary>
public sealed class PrivilegedOracleTests
{
    private static IReadOnlyList<Scenario> Scenarios(string family) => family switch
    {
        "segment loads" => SegmentScenarios.Loads(),
        "pops and far pointers" => SegmentScenarios.PopsAndFarPointers(),
        "system segments" => SegmentScenarios.SystemSegments(),
        "accesses" => SegmentScenarios.Accesses(),
        "far transfers" => TransferScenarios.FarTransfers(),
        "returns" => TransferScenarios.Returns(),
        "interrupts" => TransferScenarios.Interrupts(),
        "system calls" => TransferScenarios.SystemCalls(),
        "control registers" => ControlScenarios.ControlRegisters(),
        "model-specific registers" => ControlScenarios.ModelSpecificRegisters(),
        "flags" => ControlScenarios.FlagsAndPrivilege(),
        "paging" => ControlScenarios.Paging(),
        _ => throw new ArgumentException($"no family is called {family}", nameof(family)),
    };

    public static TheoryData<string> Families() =>
    [
        "segment loads", "pops and far pointers", "system segments", "accesses", "far transfers", "returns", "interrupts", "system calls",
        "control registers", "model-specific registers", "flags", "paging",
    ];

    [Theory]
    [MemberData(nameof(Families))]
    public void ScenariosEndAsUnderKvm(string family)
    {
        Assert.SkipWhen(KvmOracle.WhyUnavailable() is not null, KvmOracle.WhyUnavailable() ?? "");
        using KvmOracle oracle = new();
        InterpretedSystem engine = new();
        IReadOnlyList<Scenario> scenarios = Scenarios(family);
        StringBuilder failures = new();
        int failed = 0, answered = 0;
        foreach (Scenario scenario in scenarios)
        {
            if (scenario.NeedsHardware && !KvmOracle.IsHardware) continue;
            SystemState expected = oracle.Run(scenario.State);
            if (expected.Outcome is not (SystemOutcome.Halted or SystemOutcome.ShutDown)) continue;
            answered++;
            string differences = expected.Compare(engine.Run(scenario.State), scenario.UndefinedFlags);
            if (differences.Length > 0 && ++failed <= 30) failures.Append(scenario.Name).Append('\n').Append(differences);
        }
        TestContext.Current.SendDiagnosticMessage($"{family}: {answered} of {scenarios.Count} scenarios have an answer");
        Assert.True(failed == 0, string.Create(CultureInfo.InvariantCulture, $"{failed} of {answered} scenarios differ\n{failures}"));
    }
}
