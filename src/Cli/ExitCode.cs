namespace Cli;

/// <summary>What the program tells its caller. Scripts rely on these.</summary>
internal static class ExitCode
{
    public const int Good = 0;
    /// <summary>The guest failed (triple fault, unimplemented instruction), or a check did.</summary>
    public const int Failed = 1;
    /// <summary>The command line does not make sense.</summary>
    public const int Usage = 2;
    /// <summary>A file is missing, damaged, of the wrong kind, or cannot be written.</summary>
    public const int BadFile = 3;
}
