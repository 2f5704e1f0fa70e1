using System;
using System.IO;
using System.Security.Cryptography;
using Replay.Checkpoints;

namespace Replay.Packages;

/// <summary>
/// Signs recordings: a signature in the manifest over the manifest, which has the hash of every part, and over the chain of the checkpoints' state digests. ECDSA on P-256, or RSA (PSS),
/// both with SHA-256.
/// </summary>
public static class RecordingSigner
{
    private const string Ecdsa = "ECDSA-P256-SHA256", Rsa = "RSA-PSS-SHA256";
    private const int SmallestRsaBits = 2048;

    /// <summary>Writes the recording anew with a signature; one that is there is replaced.</summary>
    /// <param name="recording">Open; it is not changed.</param>
    /// <param name="destination">Where to write; it may be the recording's own path.</param>
    /// <param name="privateKeyPem">PKCS 8, SEC 1 or PKCS 1 as PEM.</param>
    /// <exception cref="SigningKeyException">It is no private key that can sign.</exception>
    /// <exception cref="RecordingFormatException">The recording is damaged.</exception>
    /// <exception cref="IOException">The destination cannot be written: it is as it was.</exception>
    public static ManifestSignature Sign(RecordingFile recording, string destination, string privateKeyPem)
    {
        using AsymmetricAlgorithm key = ReadKey(privateKeyPem);
        recording.VerifyHashes(default);
        RecordingManifest manifest = recording.Manifest with { Signature = new ManifestSignature(key is ECDsa ? Ecdsa : Rsa, KeyIdOf(key), ChainOf(recording), "") };
        byte[] signed = ManifestJson.Write(manifest);
        byte[] value;
        try
        {
            value = key is ECDsa elliptic ? elliptic.SignData(signed, HashAlgorithmName.SHA256) : ((RSA)key).SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        }
        catch (CryptographicException)
        {
            throw new SigningKeyException("it is a public key: signing needs the private one");
        }
        manifest = manifest with { Signature = manifest.Signature! with { Value = Convert.ToBase64String(value) } };
        ContainerRewriter.Replace(destination, container =>
        {
            ContainerRewriter.CopyParts(recording, container, static _ => true);
            container.Add(PartName.Manifest, ManifestJson.Write(manifest));
        });
        return manifest.Signature!;
    }

    /// <summary>Checks signature, every part's hash, the identity and the chain of digests.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="publicKeyPem">SubjectPublicKeyInfo as PEM; a private key serves, too.</param>
    /// <returns>What is wrong, in one sentence; null: nothing.</returns>
    /// <exception cref="SigningKeyException">It is no key.</exception>
    public static string? Check(RecordingFile recording, string publicKeyPem)
    {
        using AsymmetricAlgorithm key = ReadKey(publicKeyPem);
        if (recording.Manifest.Signature is not { } signature) return "it is not signed";
        try
        {
            recording.VerifyHashes(default);
        }
        catch (RecordingFormatException e)
        {
            return e.Message;
        }
        using (Stream manifest = recording.OpenPart(PartName.Manifest))
        {
            var bytes = new byte[manifest.Length];
            manifest.ReadExactly(bytes);
            // Nothing may stand in it that the signature does not cover.
            if (!bytes.AsSpan().SequenceEqual(ManifestJson.Write(recording.Manifest))) return "its manifest is not written as it was signed";
        }
        if (signature.Algorithm != (key is ECDsa ? Ecdsa : Rsa) || signature.KeyId != KeyIdOf(key)) return "it was signed with another key";
        if (signature.DigestChain != ChainOf(recording)) return "its checkpoints are not those that were signed";
        byte[] signed = ManifestJson.Write(recording.Manifest with { Signature = signature with { Value = "" } });
        var value = new byte[(signature.Value ?? "").Length];
        if (!Convert.TryFromBase64String(signature.Value ?? "", value, out int length)) return "its signature is damaged";
        bool isGood = key is ECDsa elliptic ? elliptic.VerifyData(signed, value.AsSpan(0, length), HashAlgorithmName.SHA256)
            : ((RSA)key).VerifyData(signed, value.AsSpan(0, length), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        return isGood ? null : "its signature does not fit: it was changed since it was signed";
    }

    /// <summary>The digests chained: each link is SHA-256 of the link before (32 zeros at first) and a checkpoint's 88 bytes of metadata.</summary>
    private static string ChainOf(RecordingFile recording)
    {
        var link = new byte[SHA256.HashSizeInBytes + CheckpointMeta.SizeBytes];
        for (int i = 0; i < recording.CheckpointStore.Count; i++)
        {
            recording.CheckpointStore.Meta(i).Write(link.AsSpan(SHA256.HashSizeInBytes));
            SHA256.HashData(link).CopyTo(link, 0);
        }
        return Convert.ToHexStringLower(link.AsSpan(0, SHA256.HashSizeInBytes));
    }

    private static string KeyIdOf(AsymmetricAlgorithm key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    private static AsymmetricAlgorithm ReadKey(string pem)
    {
        AsymmetricAlgorithm? key = TryRead(ECDsa.Create(), pem) ?? TryRead(RSA.Create(), pem);
        if (key is null) throw new SigningKeyException("it is not a key in PEM, or one with a passphrase");
        bool fits = key is ECDsa elliptic ? elliptic.ExportParameters(false).Curve.Oid.FriendlyName is "nistP256" or "ECDSA_P256" : key.KeySize >= SmallestRsaBits;
        if (fits) return key;
        key.Dispose();
        throw new SigningKeyException($"it must be an elliptic key on P-256, or an RSA key of {SmallestRsaBits} bits or more");
    }

    private static AsymmetricAlgorithm? TryRead(AsymmetricAlgorithm key, string pem)
    {
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            return null;
        }
    }
}

/// <summary>Not a key that can be used; the message says why.</summary>
public sealed class SigningKeyException(string message) : Exception(message);
