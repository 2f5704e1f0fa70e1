namespace Cli.Sandboxing;

/// <summary>How a verb is locked in before it reads a recording.</summary>
internal enum Confinement
{
    /// <summary>To the files that its command line names, and to system calls that reach nothing else.</summary>
    Full,
    /// <summary>To system calls that start no process and connect to nobody; files are as the user has them: for a server that is told what to open only when it runs.</summary>
    SystemCalls,
    /// <summary>Not at all: it runs what the user gives it, and reads no recording.</summary>
    None,
}
