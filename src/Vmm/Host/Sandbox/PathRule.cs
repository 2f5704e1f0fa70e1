namespace Vmm.Host.Sandbox;

/// <summary>What may be done with a file, or with all below a directory.</summary>
public enum PathAccess
{
    /// <summary>Read files and list directories.</summary>
    Read,
    /// <summary>Read it, and start it as a program.</summary>
    ReadAndExecute,
    /// <summary>Read, write, make, rename and remove files and directories; a device: use it.</summary>
    Write,
}

/// <param name="Path">A file or directory; one that does not exist grants nothing.</param>
/// <param name="Access">What may be done with it.</param>
public readonly record struct PathRule(string Path, PathAccess Access);
