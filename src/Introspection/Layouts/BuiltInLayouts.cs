using System.Collections.Generic;
using System.IO;

namespace Introspection.Layouts;

/// <summary>Layouts that many guests have. Each says which functions a guest must have for it to be meant.</summary>
public static class BuiltInLayouts
{
    private static readonly string[] s_names = ["linux", "linux-rcu", "xv6", "lecture"];

    /// <summary>All of them, read anew.</summary>
    public static IReadOnlyList<GuestLayout> All()
    {
        var layouts = new List<GuestLayout>();
        foreach (string name in s_names)
        {
            string file = $"{name}.layout.json";
            using Stream resource = typeof(BuiltInLayouts).Assembly.GetManifestResourceStream(file)!;
            using var bytes = new MemoryStream();
            resource.CopyTo(bytes);
            layouts.Add(LayoutFile.Parse(bytes.ToArray(), $"the built-in {file}"));
        }
        return layouts;
    }
}
