using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Gdb.Packets;
using Gdb.Sessions;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb;

/// <summary>
/// Shows a recording to gdb over its remote serial protocol, on the loopback interface only: vCPUs as threads, both directions. One client at a time; the next one
/// finds the machine where the last has left it. Threads: <see cref="Serve"/> runs the engine on its caller's; each connection reads on one of its own.
/// </summary>
public sealed class GdbServer : IDisposable
{
    private readonly Timeline _timeline;
    private readonly TcpListener _listener;

    /// <summary>Listens from now on. The timeline stays the caller's, who leaves it alone while <see cref="Serve"/> runs.</summary>
    /// <param name="timeline">Where the first client finds the machine.</param>
    /// <param name="port">0: any free one.</param>
    /// <exception cref="SocketException">The port is taken, or not for us.</exception>
    public GdbServer(Timeline timeline, int port)
    {
        _timeline = timeline;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start(1);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Serves clients until one says kill, or until it is cancelled.</summary>
    public void Serve(CancellationToken cancellation)
    {
        bool is64Bit = Reaches64BitMode(cancellation);
        try
        {
            while (true)
            {
                // The client's thread is ours: nobody else waits on it.
                using Socket socket = _listener.AcceptSocketAsync(cancellation).AsTask().GetAwaiter().GetResult();
                var runs = new RunControl();
                using var connection = new Connection(socket, runs);
                using var session = new GdbSession(_timeline, connection, runs, is64Bit);
                if (session.Serve(cancellation) == SessionEnd.Killed) return;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The owner has had enough.
        }
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>
    /// gdb learns the architecture once, on connecting, but a 64-bit kernel begins in 32-bit code. What counts is whether long mode is on now or at the end.
    /// </summary>
    private bool Reaches64BitMode(CancellationToken cancellation)
    {
        if (IsLongMode(_timeline.Machine)) return true;
        Position origin = _timeline.Position;
        _timeline.Seek(_timeline.End, null, cancellation);
        bool isLongMode = IsLongMode(_timeline.Machine);
        _timeline.Seek(origin, null, cancellation);
        return isLongMode;
    }

    private static bool IsLongMode(Machine machine)
    {
        foreach (Vmm.Cpu.Vcpu vcpu in machine.Vcpus)
            if (vcpu.State.IsLongMode) return true;
        return false;
    }
}
