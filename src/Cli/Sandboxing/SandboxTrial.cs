using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Vmm.Host.Sandbox;

namespace Cli.Sandboxing;

/// <summary>Tries what the sandbox must deny. Each attempt is such that it does no harm where it succeeds.</summary>
internal static class SandboxTrial
{
    private const int NotPermitted = 1; // EPERM, include/uapi/asm-generic/errno-base.h
    private const int PeekUser = 3, PushInput = 0x5412; // PTRACE_PEEKUSER, TIOCSTI

    /// <returns>Whether everything was denied.</returns>
    public static bool Run(string recording, TextWriter output)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(recording))!, home = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } named ? named : "/";
        string mark = $"ttvm-sandbox-{Environment.ProcessId}";
        bool areDenied = true;
        output.WriteLine("attempts");

        Try("read /etc/passwd", static () => File.OpenRead("/etc/passwd").Dispose());
        Try("list /", static () => Directory.GetFileSystemEntries("/"));
        Try("list the home directory", () => Directory.GetFileSystemEntries(home));
        Try("write beside the recording", () => Write(Path.Combine(folder, mark)));
        Try("write to /tmp", () => Write(Path.Combine(Path.GetTempPath(), mark)));
        Try("open the recording to write", () => new FileStream(recording, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose());
        Try("start a program", static () => Process.Start(new ProcessStartInfo("/bin/true") { UseShellExecute = false })!.Dispose());
        Try("make a TCP socket", static () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp).Dispose());
        Try("make a UDP socket", static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp).Dispose());
        Try("make a Unix socket", static () => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified).Dispose());
        Try("listen on a port", static () =>
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
        });
        // Arguments that the kernel would find wrong, if it came to look at them.
        TryCall("change a file's mode", SystemCall.Chmod);
        TryCall("signal the parent process", SystemCall.Kill, ParentProcess());
        TryCall("trace a process", SystemCall.Ptrace, PeekUser, int.MaxValue);
        TryCall("read another process's memory", SystemCall.ProcessVmReadv, int.MaxValue, 1, 0);
        TryCall("type into the terminal", SystemCall.Ioctl, -1, PushInput);
        TryCall("mount a file system", SystemCall.Mount);
        TryCall("make a namespace", SystemCall.Unshare, -1);
        TryCall("enter a namespace", SystemCall.Setns, -1);
        TryCall("open a file by its handle", SystemCall.OpenByHandleAt, -1);
        TryCall("load a program into the kernel", SystemCall.Bpf, -1);
        TryCall("use io_uring", SystemCall.IoUringSetup);
        TryCall("use the kernel's keys", SystemCall.Keyctl, -1);
        TryCall("count the machine's events", SystemCall.PerfEventOpen);
        TryCall("handle page faults", SystemCall.Userfaultfd, -1);
        return areDenied;

        void Try(string what, Action attempt) => Tell(what, IsDenied(attempt));

        void TryCall(string what, SystemCall call, nint a = 0, nint b = 0, nint c = 0) => Tell(what, ProcessImage.Try(call, a, b, c) == NotPermitted);

        void Tell(string what, bool isDenied)
        {
            areDenied &= isDenied;
            output.WriteLine($"  {(isDenied ? "denied " : "ALLOWED")}  {what}");
        }
    }

    private static bool IsDenied(Action attempt)
    {
        try
        {
            attempt();
            return false;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or SocketException or Win32Exception { NativeErrorCode: NotPermitted })
        {
            return true;
        }
        catch (IOException)
        {
            // It failed for another reason, behind the point where it would have been denied.
            return false;
        }
    }

    private static void Write(string path)
    {
        File.WriteAllBytes(path, "ttvm sandbox has written this, and removes it"u8);
        File.Delete(path);
    }

    // proc(5): the fourth field, behind the name in parentheses.
    private static int ParentProcess()
    {
        string stat = File.ReadAllText("/proc/self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
