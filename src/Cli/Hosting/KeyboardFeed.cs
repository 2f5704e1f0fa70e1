using System;
using System.IO;
using System.Text;
using System.Threading;
using Replay.Recording;

namespace Cli.Hosting;

/// <summary>
/// Gives the guest's first serial port what is typed, or what is piped in. Threads: one of its own in the background, blocked in a read; it
/// only pushes into <see cref="InteractiveInput"/>.
/// </summary>
internal sealed class KeyboardFeed
{
    private readonly InteractiveInput _input;

    private KeyboardFeed(InteractiveInput input) => _input = input;

    public static InteractiveInput Start()
    {
        var input = new InteractiveInput();
        var feed = new KeyboardFeed(input);
        new Thread(Console.IsInputRedirected ? feed.ReadPipe : feed.ReadKeys) { IsBackground = true, Name = "keyboard" }.Start();
        return input;
    }

    private void ReadPipe()
    {
        using Stream stream = Console.OpenStandardInput();
        var buffer = new byte[4096];
        for (int count = stream.Read(buffer); count > 0; count = stream.Read(buffer)) _input.Push(buffer.AsSpan(0, count));
        _input.Close();
    }

    private void ReadKeys()
    {
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            _input.Push(Encoding.UTF8.GetBytes(TextOf(key)));
        }
    }

    // What a terminal (VT100, ECMA-48) sends.
    private static string TextOf(ConsoleKeyInfo key) => key.Key switch
    {
        ConsoleKey.Enter => "\r",
        ConsoleKey.Backspace => "\x7f",
        ConsoleKey.UpArrow => "\x1b[A",
        ConsoleKey.DownArrow => "\x1b[B",
        ConsoleKey.RightArrow => "\x1b[C",
        ConsoleKey.LeftArrow => "\x1b[D",
        ConsoleKey.Home => "\x1b[H",
        ConsoleKey.End => "\x1b[F",
        ConsoleKey.Delete => "\x1b[3~",
        _ => key.KeyChar == '\0' ? "" : key.KeyChar.ToString(),
    };
}
