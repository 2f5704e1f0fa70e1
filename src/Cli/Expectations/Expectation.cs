namespace Cli.Expectations;

/// <summary>What can be expected of a run.</summary>
internal enum ExpectationKind { Prints, NeverPrints, Exits, ExitsAsRecorded, Ends, Calls, NeverCalls, NoPanic, NoLockInversion, InstructionsWithin, InstructionsAtMost }

/// <summary>One line of an expect file.</summary>
/// <param name="Kind">What is expected.</param>
/// <param name="Source">The line, for people.</param>
/// <param name="Text">A text, a function or an outcome; empty: none.</param>
/// <param name="Number">An exit code, percent or a count.</param>
internal sealed record Expectation(ExpectationKind Kind, string Source, string Text = "", ulong Number = 0);

/// <summary>Whether it came so.</summary>
/// <param name="Expectation">What was expected.</param>
/// <param name="IsMet">It came so.</param>
/// <param name="Detail">What happened instead, or where it happened.</param>
/// <param name="At">The position to look at; null: there is none.</param>
internal sealed record ExpectationResult(Expectation Expectation, bool IsMet, string Detail, Vmm.Time.Position? At);
