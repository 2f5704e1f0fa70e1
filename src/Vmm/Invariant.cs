using System.Runtime.CompilerServices;

namespace Vmm;

/// <summary>Assertions that stay on in release builds and name the expression that failed.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantException"/> naming <paramref name="expression"/> when <paramref name="condition"/> is false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(bool condition, [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition) Fail(expression);
    }

    private static void Fail(string expression) => throw new InvariantException($"invariant broken: {expression}");
}

/// <summary>A bug of ours: never caused by a guest, whose faults are values.</summary>
public sealed class InvariantException(string message) : System.Exception(message);
