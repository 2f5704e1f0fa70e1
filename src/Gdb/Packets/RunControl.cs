using System.Threading;

namespace Gdb.Packets;

/// <summary>
/// Lets the connection's thread stop what the engine's thread runs. All members may be called by either. An interrupt that arrives between the packet that asks for a
/// run and the run itself stops that run.
/// </summary>
internal sealed class RunControl
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _run;
    private bool _isInterrupted;

    /// <summary>A run begins; the caller disposes of the source after <see cref="End"/>.</summary>
    public CancellationTokenSource Begin(CancellationToken outer)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(outer);
        lock (_gate)
        {
            _run = source;
            if (_isInterrupted) source.Cancel();
        }
        return source;
    }

    public void End()
    {
        lock (_gate)
        {
            _run = null;
            _isInterrupted = false;
        }
    }

    public void Interrupt()
    {
        lock (_gate)
        {
            _isInterrupted = true;
            _run?.Cancel();
        }
    }

    public void ForgetInterrupt()
    {
        lock (_gate) _isInterrupted = false;
    }
}
