using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Vmm.Host.Sandbox;

/// <summary>What a process may do with sockets.</summary>
public enum SocketAccess
{
    None,
    /// <summary>Listen on a TCP port and talk to who comes; connect to nobody.</summary>
    ListenTcp,
    /// <summary>The same on a Unix domain socket.</summary>
    ListenUnix,
}

/// <summary>
/// A seccomp filter over all threads of this process, for ever: lets through what reaches nothing outside, and refuses all else with EPERM, so that what tried it can say so. No process
/// can be started, none be looked into, no socket be made but one to listen, nothing be mounted or loaded. x86-64 Linux only.
/// </summary>
public static unsafe class SystemCallFilter
{
    // include/uapi/linux/seccomp.h, audit.h, sched.h, socket.h, asm-generic/ioctls.h, fcntl.h, errno.h
    private const int SetModeFilter = 1, SynchronizeThreads = 1;
    internal const uint Allow = 0x7FFF0000;
    private const uint Refuse = 0x00050000 | 1, Missing = 0x00050000 | 38, KillProcess = 0x80000000;
    private const uint ArchitectureX64 = 0xC000003E, NewThread = 0x00010000, NewNamespaces = 0x7E020080, FastOpen = 0x20000000, SetOwner = 8, SetOwnerThread = 15;
    private const uint PushInput = 0x5412, VirtualConsole = 0x541C; // TIOCSTI types for the shell that gets the terminal back; TIOCLINUX does on a console
    private const uint UnixFamily = 1, InternetFamily = 2, InternetFamily6 = 10, StreamType = 1, TypeMask = 0xF;
    // Calls that are newer than this table do not exist, for what tries them and knows an older way.
    private const uint LastKnown = 466;

    private static readonly SystemCall[] s_socketCalls =
    [
        SystemCall.Bind, SystemCall.Listen, SystemCall.Accept, SystemCall.Accept4, SystemCall.Recvfrom, SystemCall.Recvmsg, SystemCall.Shutdown, SystemCall.Getsockname,
        SystemCall.Getpeername, SystemCall.Setsockopt, SystemCall.Getsockopt,
    ];

    [StructLayout(LayoutKind.Sequential)]
    private struct ProgramReference
    {
        public ushort Length;
        public BpfInstruction* Instructions;
    }

    /// <summary>This host can have one.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Loads it. What it refuses is refused from here on.</summary>
    /// <exception cref="SandboxException">The kernel refuses.</exception>
    public static void Load(SocketAccess sockets)
    {
        Invariant.Check(IsSupported);
        HostCall.GainNoPrivileges();
        BpfInstruction[] program = Build(sockets, (uint)Environment.ProcessId);
        fixed (BpfInstruction* instructions = program)
        {
            var reference = new ProgramReference { Length = (ushort)program.Length, Instructions = instructions };
            // A number above 0 is a thread that has a filter of its own.
            if (HostCall.Invoke(SystemCall.Seccomp, SetModeFilter, SynchronizeThreads, (nint)(&reference)) != 0) throw SandboxException.Of("system calls cannot be filtered");
        }
    }

    private static BpfInstruction[] Build(SocketAccess sockets, uint ownProcess)
    {
        var program = new BpfProgram();
        program.LoadArchitecture();
        program.ReturnUnless(ArchitectureX64, KillProcess);
        program.LoadNumber();
        program.Judge(SystemCall.Clone, body => body.ReturnUnlessAny(0, NewThread, Refuse).ReturnIfAny(0, NewNamespaces, Refuse));
        // Its flags are in memory, where no filter sees them; glibc then takes clone.
        program.Judge(SystemCall.Clone3, static body => body.Return(Missing));
        // Only 32 bits of the number count for the kernel, so only these are compared.
        program.Judge(SystemCall.Ioctl, static body => body.ReturnIfEqual(1, PushInput, Refuse).ReturnIfEqual(1, VirtualConsole, Refuse));
        // F_SETOWN and F_SETOWN_EX: whom the kernel sends signals to for us.
        program.Judge(SystemCall.Fcntl, static body => body.ReturnIfEqual(1, SetOwner, Refuse).ReturnIfEqual(1, SetOwnerThread, Refuse));
        program.Judge(SystemCall.Kill, body => body.ReturnUnlessEqual(0, ownProcess, Refuse));
        program.Judge(SystemCall.Tgkill, body => body.ReturnUnlessEqual(0, ownProcess, Refuse));
        program.Judge(SystemCall.Prlimit64, body => body.ReturnIfEqual(0, 0, Allow).ReturnUnlessEqual(0, ownProcess, Refuse));
        var harmless = new List<int>();
        foreach (HarmlessCall call in Enum.GetValues<HarmlessCall>()) harmless.Add((int)call);
        if (sockets != SocketAccess.None)
        {
            program.Judge(SystemCall.Socket, body =>
            {
                body.ReturnUnlessMasked(1, TypeMask, StreamType, Refuse);
                if (sockets == SocketAccess.ListenUnix) body.ReturnUnlessEqual(0, UnixFamily, Refuse);
                else body.ReturnIfEqual(0, InternetFamily6, Allow).ReturnUnlessEqual(0, InternetFamily, Refuse);
            });
            // TCP can connect by sending, too.
            program.Judge(SystemCall.Sendto, static body => body.ReturnIfAny(3, FastOpen, Refuse));
            program.Judge(SystemCall.Sendmsg, static body => body.ReturnIfAny(2, FastOpen, Refuse));
            foreach (SystemCall call in s_socketCalls) harmless.Add((int)call);
        }
        harmless.Sort();
        program.AllowAmong(harmless, Refuse);
        program.ReturnIfAbove(LastKnown, Missing);
        program.Return(Refuse);
        return program.ToArray();
    }
}
