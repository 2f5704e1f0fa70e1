using System.Collections.Generic;

namespace Introspection.Linux;

/// <summary>Paths of open files: from a directory entry to its parents, and from a mount's root to where it is mounted (fs/d_path.c).</summary>
internal sealed class FilePaths(AddressSpaceReader memory, KernelLayout layout)
{
    private const int MaximumParts = 256;
    private const int MaximumNameBytes = 256;

    private readonly Dictionary<ulong, string?> _known = [];

    /// <summary>Null: it cannot be read.</summary>
    /// <param name="file">Address of a <c>struct file</c>.</param>
    internal string? Of(ulong file)
    {
        if (_known.TryGetValue(file, out string? path)) return path;
        return _known[file] = Read(file);
    }

    private string? Read(ulong file)
    {
        if (layout.Pointer(memory, file, "file", "f_path.dentry") is not { } entry) return null;
        ulong? mount = MountOf(layout.Pointer(memory, file, "file", "f_path.mnt"));
        var parts = new List<string>();
        for (int i = 0; i < MaximumParts; i++)
        {
            if (layout.Pointer(memory, entry, "dentry", "d_parent") is not { } parent) return null;
            bool isMountRoot = mount is { } of && layout.Pointer(memory, of, "mount", "mnt.mnt_root") == entry;
            if (isMountRoot || parent == entry)
            {
                // The root of everything is mounted on itself.
                ulong? outer = mount is { } inner ? layout.Pointer(memory, inner, "mount", "mnt_parent") : null;
                if (outer is null || outer == mount || layout.Pointer(memory, mount!.Value, "mount", "mnt_mountpoint") is not { } point)
                {
                    parts.Reverse();
                    // What is mounted nowhere has only a name, as memfd and anonymous shared memory.
                    return "/" + string.Join('/', parts);
                }
                mount = outer;
                entry = point;
                continue;
            }
            if (layout.Pointer(memory, entry, "dentry", "d_name.name") is not { } at || memory.ReadText(at, MaximumNameBytes) is not { } name) return null;
            parts.Add(name);
            entry = parent;
        }
        return null;
    }

    // A vfsmount is a member of its mount.
    private ulong? MountOf(ulong? inner) => inner is { } at && layout.Offset("mount", "mnt") is { } offset ? at - offset : null;
}
