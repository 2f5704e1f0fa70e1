using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Locks.Queues;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Locks.Linux;

/// <summary>The locks of a Linux kernel at one moment, read out of its memory by its own types.</summary>
internal sealed class LinuxLockReader
{
    private readonly GuestView _view;
    private readonly KernelQueues _queues;
    private readonly SleepingLocks _sleeping;

    public LinuxLockReader(LinuxKernel kernel, in GuestView view)
    {
        _view = view;
        _queues = new KernelQueues(kernel, view);
        _sleeping = new SleepingLocks(kernel, _queues);
    }

    /// <summary>A lock by its kind; null: the kind is none of Linux's.</summary>
    public LockView? Read(string name, string kind, ulong address) => kind switch
    {
        "qspinlock" => _queues.ReadSpinLock(name, address),
        "qrwlock" => _queues.ReadReaderWriterLock(name, address),
        "mutex" => _sleeping.ReadMutex(name, address),
        "rw_semaphore" => _sleeping.ReadSemaphore(name, address),
        _ => null,
    };

    /// <summary>The locks that somebody waits for now, as far as memory and registers show it.</summary>
    public IEnumerable<(ulong Address, string Kind)> Waited()
    {
        foreach (Vcpu vcpu in _view.Machine.Vcpus)
            if (_queues.IsInSlowPath(vcpu) && _queues.SpunOnBy(vcpu.Index) is { } address) yield return (address, "qspinlock");
        foreach ((ulong address, string kind) in _sleeping.SleptFor()) yield return (address, kind);
    }
}
