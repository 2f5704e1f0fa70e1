using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Threading;

namespace Replay.Packages;

/// <summary>What opens encrypted recordings. Keys that were made of it are kept, as each takes a noticeable time. Thread-safe.</summary>
public sealed class RecordingPassphrase : IDisposable
{
    /// <summary>What new files get: OWASP's figure of 2023 for PBKDF2-HMAC-SHA256.</summary>
    internal const int Iterations = 600_000;

    private readonly byte[] _text;
    private readonly Dictionary<(string Salt, int Iterations), byte[]> _keys = [];
    private readonly Lock _gate = new();

    /// <param name="text">At least one byte; by convention UTF-8.</param>
    public RecordingPassphrase(ReadOnlySpan<byte> text)
    {
        Vmm.Invariant.Check(!text.IsEmpty);
        _text = text.ToArray();
    }

    /// <summary>The key of AES-256 for a file's salt.</summary>
    internal byte[] KeyFor(ReadOnlySpan<byte> salt, int iterations)
    {
        lock (_gate)
        {
            (string, int) name = (Convert.ToHexString(salt), iterations);
            if (!_keys.TryGetValue(name, out byte[]? key))
                _keys[name] = key = Rfc2898DeriveBytes.Pbkdf2(_text, salt, iterations, HashAlgorithmName.SHA256, EncryptedHeader.KeySizeBytes);
            return key;
        }
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_text);
        foreach (byte[] key in _keys.Values) CryptographicOperations.ZeroMemory(key);
    }
}
