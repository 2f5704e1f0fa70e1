using Introspection.Programs;

namespace Dap.Stepping;

/// <summary>What a step by source goes by.</summary>
internal enum StepUnit
{
    /// <summary>A line of a file.</summary>
    Line,
    /// <summary>A line and a column: what the compiler has marked as a statement's beginning (is_stmt) there. A line may have several.</summary>
    Statement,
}

internal static class StepUnits
{
    /// <summary>Both places belong to one line, or statement.</summary>
    public static bool AreSame(this StepUnit unit, CodePlace a, CodePlace b) =>
        a.IsSameLine(b) && (unit == StepUnit.Line || a.Location?.Column == b.Location?.Column);
}
