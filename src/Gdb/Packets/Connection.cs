using System;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Threading;

namespace Gdb.Packets;

/// <summary>
/// A client's socket. Threads: one of its own reads and takes packets apart, so that an interrupt is seen while the engine runs; the engine's thread takes the packets
/// and sends.
/// </summary>
internal sealed class Connection : IDisposable
{
    /// <summary>A client that sends more than this without waiting for answers is made to wait.</summary>
    private const int MaxWaitingCount = 64;

    private readonly Socket _socket;
    private readonly RunControl _runs;
    private readonly BlockingCollection<PacketInput> _inputs = new(MaxWaitingCount);
    private readonly CancellationTokenSource _closing = new();
    private readonly Thread _reader;

    public Connection(Socket socket, RunControl runs)
    {
        _socket = socket;
        _runs = runs;
        _socket.NoDelay = true;
        _reader = new Thread(Read) { IsBackground = true, Name = "gdb connection" };
        _reader.Start();
    }

    /// <summary>The next input but interrupts; false when the client is gone.</summary>
    public bool TryTake(out PacketInput input, CancellationToken cancellation) => _inputs.TryTake(out input, Timeout.Infinite, cancellation);

    /// <summary>False when the client is gone.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0) bytes = bytes[_socket.Send(bytes)..];
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        try
        {
            // So that what was sent last arrives.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The client was faster.
        }
        _socket.Dispose();
        _reader.Join();
        _inputs.Dispose();
        _closing.Dispose();
    }

    private void Read()
    {
        var decoder = new PacketDecoder();
        var buffer = new byte[4096];
        try
        {
            for (int count; (count = _socket.Receive(buffer)) > 0;)
            {
                foreach (byte value in buffer.AsSpan(0, count))
                    if (decoder.TryAdd(value, out PacketInput input)) Hand(input);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed by either side: the end of the input, like an orderly one.
        }
        _inputs.CompleteAdding();
        // A run for a client that is gone is for nobody.
        _runs.Interrupt();
    }

    private void Hand(PacketInput input)
    {
        if (input.Kind == PacketInputKind.Interrupt)
        {
            _runs.Interrupt();
            return;
        }
        // Whoever sends a packet has seen the stop before it: an interrupt that crossed that stop is void.
        if (input.Kind == PacketInputKind.Packet) _runs.ForgetInterrupt();
        _inputs.Add(input, _closing.Token);
    }
}
