using System;
using System.Runtime.InteropServices;

namespace Vmm.Host;

/// <summary>
/// The terminal at standard input without its echo, until this is disposed of: what is typed ahead is not shown either, as it would be between two calls of
/// <see cref="Console.ReadKey(bool)"/>. Lines are edited by the terminal as ever. POSIX termios(3).
/// </summary>
public sealed unsafe partial class HiddenInput : IDisposable
{
    private const int StandardInput = 0, Now = 0;
    // struct termios of Linux: four words of flags, of which the fourth is c_lflag; its size is 60 bytes.
    private const int SizeBytes = 64, LocalFlags = 3;
    private const uint Echo = 8;

    private readonly byte[] _before;

    private HiddenInput(byte[] before) => _before = before;

    /// <summary>Null: standard input is no terminal, or the host is no Linux.</summary>
    public static HiddenInput? TryBegin()
    {
        if (!OperatingSystem.IsLinux()) return null;
        var before = new byte[SizeBytes];
        fixed (byte* settings = before)
            if (GetAttributes(StandardInput, settings) != 0) return null;
        byte[] hidden = (byte[])before.Clone();
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(hidden.AsSpan());
        words[LocalFlags] &= ~Echo;
        return Set(hidden) ? new HiddenInput(before) : null;
    }

    /// <summary>The echo is back. Callable from any thread, and more than once.</summary>
    public void Dispose() => Set(_before);

    private static bool Set(byte[] settings)
    {
        fixed (byte* at = settings) return SetAttributes(StandardInput, Now, at) == 0;
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int file, byte* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int file, int when, byte* settings);
}
