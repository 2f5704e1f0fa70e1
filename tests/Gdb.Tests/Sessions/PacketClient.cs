using System;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gdb.Packets;

namespace Gdb.Tests.Sessions;

/// <summary>A client that sends what it is told.</summary>
internal sealed class PacketClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly PacketDecoder _decoder = new();
    private readonly byte[] _buffer = new byte[1];

    public PacketClient(int port)
    {
        _socket.ReceiveTimeout = 60_000;
        _socket.Connect(IPAddress.Loopback, port);
    }

    public void SendRaw(string bytes) => _socket.Send(Encoding.Latin1.GetBytes(bytes));

    /// <summary>The answer to a packet.</summary>
    public string Ask(string packet)
    {
        _socket.Send(PacketEncoder.Encode(packet));
        return NextPacket();
    }

    public string NextPacket()
    {
        while (true)
        {
            PacketInput input = Next();
            if (input.Kind == PacketInputKind.Packet) return input.Text;
        }
    }

    /// <summary>The text of a monitor command's output.</summary>
    public string Monitor(string command)
    {
        var text = new StringBuilder();
        for (string answer = Ask("qRcmd," + Hexadecimal.OfText(command)); answer != "OK"; answer = NextPacket())
        {
            if (answer.Length == 0 || answer[0] != 'O') throw new InvalidOperationException($"answered {answer}");
            text.Append(Encoding.UTF8.GetString(Convert.FromHexString(answer.AsSpan(1))));
        }
        return text.ToString();
    }

    /// <summary>The next packet or sign.</summary>
    public PacketInput Next()
    {
        while (_socket.Receive(_buffer) == 1)
            if (_decoder.TryAdd(_buffer[0], out PacketInput input)) return input;
        throw new InvalidOperationException("the server has closed the connection");
    }

    public void Dispose() => _socket.Dispose();
}
