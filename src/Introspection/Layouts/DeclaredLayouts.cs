using System;
using System.Collections.Generic;
using System.IO;
using Vmm.Platform;

namespace Introspection.Layouts;

/// <summary>The layouts of locks that are known for a recording; built-in ones are not among them.</summary>
/// <param name="Layouts">All that could be read.</param>
/// <param name="Problem">Why there are none; null: there are.</param>
public sealed record DeclaredLayouts(IReadOnlyList<GuestLayout> Layouts, string? Problem)
{
    private const string DemoKernel = "demo64.elf";

    public static DeclaredLayouts None { get; } = new([], "No layouts of locks are declared.");

    /// <summary>Never fails: what cannot be used is told.</summary>
    /// <param name="configuration">The recorded machine.</param>
    /// <param name="recordingPath">Layouts are looked for beside it.</param>
    /// <param name="paths">Files that the user names; null: those that lie where they are expected.</param>
    /// <param name="tell">Takes a sentence for the user.</param>
    public static DeclaredLayouts Load(MachineConfiguration configuration, string recordingPath, IReadOnlyList<string>? paths, Action<string> tell)
    {
        string? kernel = configuration.FindImage("kernel")?.Name;
        IReadOnlyList<string> files = paths ?? LayoutFile.Find(recordingPath, kernel, [Directory.GetCurrentDirectory()]);
        var layouts = new List<GuestLayout>();
        foreach (string path in files)
        {
            try
            {
                layouts.Add(LayoutFile.Read(path));
            }
            catch (LayoutException e)
            {
                tell($"{e.Message.TrimEnd('.')}; going on without it");
            }
        }
        // The demo needs no files.
        if (layouts.Count == 0 && paths is null && kernel == DemoKernel && typeof(DeclaredLayouts).Assembly.GetManifestResourceStream("demo64.layout.json") is { } resource)
        {
            using (resource)
            using (var bytes = new MemoryStream())
            {
                resource.CopyTo(bytes);
                layouts.Add(LayoutFile.Parse(bytes.ToArray(), "the demo kernel's layout"));
            }
        }
        string name = Path.GetFileNameWithoutExtension(kernel ?? recordingPath) + ".layout.json";
        return new DeclaredLayouts(layouts, layouts.Count > 0 ? null
            : $"No layouts of locks are declared: write {name} beside the recording, or name a file with 'layouts' in launch.json (docs/LAYOUTS.md describes it).");
    }
}
