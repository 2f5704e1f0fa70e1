using System;
using System.Runtime.InteropServices;

namespace Vmm.Host.Sandbox;

/// <summary>System calls of Linux that .NET has no name for.</summary>
internal static unsafe partial class HostCall
{
    private const int SetNoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS, include/uapi/linux/prctl.h
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;

    /// <summary>Makes a call; below 0: it failed, and the last P/Invoke error says why.</summary>
    public static nint Invoke(SystemCall call, nint a = 0, nint b = 0, nint c = 0) => Make((nint)call, a, b, c, 0);

    /// <summary>The calling thread, and what it starts, can never have more rights than now: what an unprivileged process needs to restrict itself.</summary>
    /// <exception cref="SandboxException">The kernel refuses.</exception>
    public static void GainNoPrivileges()
    {
        if (Control(SetNoNewPrivileges, 1, 0, 0, 0) != 0) throw SandboxException.Of("privileges cannot be given up");
    }

    /// <summary>Opens a file without any access to it, to name it; below 0: it is not there.</summary>
    public static int OpenPath(string path) => Open(path, PathOnly | CloseOnExec);

    /// <summary>Puts another program in this process's place. Returns only if that fails.</summary>
    public static void Execute(string program, string[] arguments, string[] environment)
    {
        nint[] argumentPointers = Pointers(arguments), environmentPointers = Pointers(environment);
        fixed (nint* argument = argumentPointers, variable = environmentPointers) _ = Exec(program, argument, variable);
        foreach (nint one in argumentPointers) Marshal.FreeCoTaskMem(one);
        foreach (nint one in environmentPointers) Marshal.FreeCoTaskMem(one);
    }

    // Ended by a null.
    private static nint[] Pointers(string[] texts)
    {
        var pointers = new nint[texts.Length + 1];
        for (int i = 0; i < texts.Length; i++) pointers[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        return pointers;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Make(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int operation, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Exec(string path, nint* arguments, nint* environment);
}
