using System;
using Xunit;

namespace TestKit;

/// <summary>
/// What happens when a test needs something that is not there. On a developer's machine the test is skipped with the command that
/// installs it. With CI or TTVM_REQUIRE_ALL set in the environment (test.sh sets it) it fails: a test that does not run proves nothing.
/// </summary>
public static class Requirement
{
    public static bool EverythingMustBeThere => IsSet("CI") || IsSet("TTVM_REQUIRE_ALL");

    /// <summary>Skips or fails the running test; does not return.</summary>
    /// <param name="what">"gcc is not installed"</param>
    /// <param name="remedy">The command that helps.</param>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public static void Missing(string what, string remedy)
    {
        string message = $"{what}; run: {remedy}";
        if (EverythingMustBeThere) Assert.Fail(message);
        Assert.Skip(message);
        throw new InvalidOperationException(message);
    }

    /// <summary>Skips the running test, always: the host's kernel cannot do something, and nothing that one could install changes that. Does not return.</summary>
    /// <param name="what">"this kernel has no Landlock"</param>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public static void HostCannot(string what)
    {
        Assert.Skip(what);
        throw new InvalidOperationException(what);
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value && value != "0";
}
