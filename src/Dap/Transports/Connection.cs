using System;
using System.IO;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Dap.Transports;

/// <summary>Two streams to a client.</summary>
public sealed class Connection : IDisposable
{
    private readonly IDisposable? _owner;

    /// <param name="input">What the client sends.</param>
    /// <param name="output">What is sent to it.</param>
    /// <param name="owner">Disposed of last; null: nothing.</param>
    public Connection(Stream input, Stream output, IDisposable? owner = null)
    {
        Input = input;
        Output = output;
        _owner = owner;
    }

    public Stream Input { get; }
    public Stream Output { get; }

    /// <summary>Standard input and output, which then belong to the protocol alone: what the program prints goes to standard error.</summary>
    public static Connection OverStandardStreams()
    {
        Console.SetOut(Console.Error);
        return new Connection(Console.OpenStandardInput(), Console.OpenStandardOutput());
    }

    /// <summary>Waits for one client at a port of the loopback interface.</summary>
    /// <param name="port">0: any that is free.</param>
    /// <param name="listening">Told the port once it is open.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static Connection OverLoopback(int port, Action<int> listening, CancellationToken cancellation)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start(1);
            listening(((IPEndPoint)listener.LocalEndpoint).Port);
            TcpClient client = listener.AcceptTcpClientAsync(cancellation).AsTask().GetAwaiter().GetResult();
            client.NoDelay = true;
            NetworkStream stream = client.GetStream();
            return new Connection(stream, stream, client);
        }
        catch (SocketException e)
        {
            throw new IOException($"port {port} of the loopback interface cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Waits for one client at a named pipe (a Unix domain socket where there are no such pipes; then the name may be a path).</summary>
    /// <exception cref="IOException">The pipe cannot be made.</exception>
    public static Connection OverPipe(string name, Action listening, CancellationToken cancellation)
    {
        var pipe = new NamedPipeServerStream(name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        try
        {
            listening();
            pipe.WaitForConnectionAsync(cancellation).GetAwaiter().GetResult();
            return new Connection(pipe, pipe);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
        _owner?.Dispose();
    }
}
