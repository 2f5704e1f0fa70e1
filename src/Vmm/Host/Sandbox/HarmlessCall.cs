namespace Vmm.Host.Sandbox;

/// <summary>
/// System calls that reach nothing but this process and what Landlock leaves it of the file system: numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
/// All others are refused, but for what <see cref="SystemCallFilter"/> looks at closer.
/// </summary>
internal enum HarmlessCall
{
    // Memory, which is this process's own.
    Mmap = 9, Mprotect = 10, Munmap = 11, Brk = 12, Mremap = 25, Msync = 26, Mincore = 27, Madvise = 28, Mlock = 149, Munlock = 150, Mlockall = 151,
    Munlockall = 152, Mlock2 = 325, Mbind = 237, SetMempolicy = 238, GetMempolicy = 239, MemfdCreate = 319, Membarrier = 324, Mseal = 462,

    // Files: which ones, Landlock says.
    Read = 0, Write = 1, Open = 2, Close = 3, Stat = 4, Fstat = 5, Lstat = 6, Lseek = 8, Pread64 = 17, Pwrite64 = 18, Readv = 19, Writev = 20,
    Preadv = 295, Pwritev = 296, Preadv2 = 327, Pwritev2 = 328, Access = 21, Dup = 32, Dup2 = 33, Dup3 = 292, Flock = 73, Fsync = 74, Fdatasync = 75,
    Truncate = 76, Ftruncate = 77, Fallocate = 285, Fadvise64 = 221, Readahead = 187, Sendfile = 40, CopyFileRange = 326, Getdents = 78,
    Getdents64 = 217, Getcwd = 79, Chdir = 80, Fchdir = 81, Rename = 82, Renameat = 264, Renameat2 = 316, Mkdir = 83, Mkdirat = 258, Rmdir = 84,
    Creat = 85, Link = 86, Linkat = 265, Unlink = 87, Unlinkat = 263, Readlink = 89, Readlinkat = 267, Umask = 95, Statfs = 137, Fstatfs = 138,
    Openat = 257, Newfstatat = 262, Statx = 332, Faccessat = 269, Faccessat2 = 439, CloseRange = 436, Openat2 = 437, Getxattr = 191, Lgetxattr = 192,
    Fgetxattr = 193,

    // Waiting.
    Poll = 7, Ppoll = 271, Select = 23, Pselect6 = 270, EpollCreate = 213, EpollCreate1 = 291, EpollCtl = 233, EpollWait = 232, EpollPwait = 281,
    EpollPwait2 = 441, Pipe = 22, Pipe2 = 293, Eventfd = 284, Eventfd2 = 290, Nanosleep = 35, ClockNanosleep = 230, Pause = 34, Futex = 202,
    FutexWaitv = 449, FutexWake = 454, FutexWait = 455, FutexRequeue = 456, Wait4 = 61, Waitid = 247,

    // Threads and their turns.
    Exit = 60, ExitGroup = 231, Gettid = 186, SetTidAddress = 218, SetRobustList = 273, GetRobustList = 274, Rseq = 334, ArchPrctl = 158, Prctl = 157,
    SchedYield = 24, SchedSetaffinity = 203, SchedGetaffinity = 204, SchedGetparam = 143, SchedSetscheduler = 144, SchedGetscheduler = 145,
    SchedGetPriorityMax = 146, SchedGetPriorityMin = 147, SchedRrGetInterval = 148, SchedGetattr = 315, Getpriority = 140, Getcpu = 309,
    RestartSyscall = 219,

    // Signals to itself, timers and clocks.
    RtSigaction = 13, RtSigprocmask = 14, RtSigreturn = 15, RtSigpending = 127, RtSigtimedwait = 128, RtSigsuspend = 130, Sigaltstack = 131,
    Getitimer = 36, Setitimer = 38, Alarm = 37, TimerCreate = 222, TimerSettime = 223, TimerGettime = 224, TimerGetoverrun = 225, TimerDelete = 226,
    Time = 201, Gettimeofday = 96, ClockGettime = 228, ClockGetres = 229, Times = 100,

    // What it is.
    Getpid = 39, Getppid = 110, Getpgrp = 111, Getpgid = 121, Getsid = 124, Getuid = 102, Geteuid = 107, Getgid = 104, Getegid = 108, Getgroups = 115,
    Getresuid = 118, Getresgid = 120, Capget = 125, Uname = 63, Sysinfo = 99, Getrlimit = 97, Getrusage = 98, Getrandom = 318,
}
