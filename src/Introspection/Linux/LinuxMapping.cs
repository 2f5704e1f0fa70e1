namespace Introspection.Linux;

/// <summary>A part of a process's address space (<c>vm_area_struct</c>), a line of /proc/PID/maps.</summary>
public sealed record LinuxMapping
{
    /// <summary>Linear, the first byte.</summary>
    public required ulong Start { get; init; }

    /// <summary>The first byte behind it.</summary>
    public required ulong End { get; init; }

    /// <summary>As the kernel has them (include/linux/mm.h, VM_READ and so on).</summary>
    public required ulong Flags { get; init; }

    /// <summary>Where in the file it begins, in bytes; 0 without one.</summary>
    public required ulong FileOffset { get; init; }

    /// <summary>The file's path from the root of its mount; null: no file is mapped.</summary>
    public required string? Path { get; init; }

    /// <summary>What it is where it is no file: [heap], [stack], [vdso] and the like; null: unknown.</summary>
    public required string? Label { get; init; }

    /// <summary>Address of the file's inode, which tells one file from another of the same path; 0: none.</summary>
    public required ulong Inode { get; init; }

    public bool IsExecutable => (Flags & 4) != 0;

    /// <summary>As /proc/PID/maps has it: r-xp.</summary>
    public string Permissions =>
        string.Create(4, Flags, static (text, flags) =>
        {
            text[0] = (flags & 1) != 0 ? 'r' : '-';
            text[1] = (flags & 2) != 0 ? 'w' : '-';
            text[2] = (flags & 4) != 0 ? 'x' : '-';
            text[3] = (flags & 0x80) != 0 ? 's' : 'p';
        });
}
