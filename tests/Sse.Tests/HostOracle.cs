using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;

namespace Sse.Tests;

/// <summary>The host CPU as an oracle: builds host/sse-oracle.c with gcc and runs instructions in it, as a child process.</summary>
public sealed class HostOracle : IDisposable
{
    // A batch and its answer must fit into a pipe's buffer each (64 KiB), so that neither side ever waits for the other.
    private const int BatchCount = 350;

    private readonly Process _process;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("sse-oracle-");

    public HostOracle()
    {
        string executable = Path.Combine(_directory.FullName, "sse-oracle");
        Run("gcc", "-O1", "-Wall", "-Werror", "-o", executable, Path.Combine(AppContext.BaseDirectory, "host", "sse-oracle.c"));
        _process = Process.Start(new ProcessStartInfo(executable) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("the oracle did not start");
    }

    /// <summary>Executes every case and replaces it by its outcome.</summary>
    public void Execute(Span<HostCase> cases)
    {
        Stream input = _process.StandardInput.BaseStream, output = _process.StandardOutput.BaseStream;
        while (!cases.IsEmpty)
        {
            Span<HostCase> batch = cases[..Math.Min(cases.Length, BatchCount)];
            cases = cases[batch.Length..];
            Span<byte> bytes = MemoryMarshal.AsBytes(batch);
            input.Write(BitConverter.GetBytes(batch.Length));
            input.Write(bytes);
            input.Flush();
            output.ReadExactly(bytes);
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static void Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(program, arguments);
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"{program} failed: {string.Join(' ', arguments)}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException($"these tests need {program}: apt-get install -y {program}");
        }
    }
}
