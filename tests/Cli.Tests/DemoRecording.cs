using System;
using System.IO;
using TestKit;
using Xunit;

[assembly: AssemblyFixture(typeof(Cli.Tests.DemoRecording))]

namespace Cli.Tests;

/// <summary>A recording of the demo kernel in which the bug shows, made once for all tests, and a folder for what they write.</summary>
public sealed class DemoRecording : IDisposable
{
    public DemoRecording()
    {
        Folder = Directory.CreateTempSubdirectory("ttvm-cli-tests-").FullName;
        File = PathOf("demo.ttvm");
        DemoOutput = Ttvm.Good("demo", "-o", File);
    }

    public string Folder { get; }

    /// <summary>The recording.</summary>
    public string File { get; }

    /// <summary>What `ttvm demo` printed.</summary>
    public string DemoOutput { get; }

    public static string Kernel => GuestImages.PrebuiltDemo64;

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
