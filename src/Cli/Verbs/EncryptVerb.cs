using System.CommandLine;
using System.IO;
using System.Security.Cryptography;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm encrypt FILE</c></summary>
internal static class EncryptVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var output = new Option<string?>("--output", "-o") { Description = "Write it there; by default FILE is replaced", HelpName = "FILE" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("encrypt",
            "Encrypts a recording with a passphrase. Every verb and VS Code open it with that passphrase, and decrypt only what they read, in memory. A signature stays valid within.", """
            The passphrase is the first line of --passphrase-file, else $TTVM_PASSPHRASE, else it is asked for. What a byte is changed in, or cut off, is refused.

            Examples:
              ttvm encrypt boot.ttvm
              ttvm encrypt boot.ttvm -o boot-secret.ttvm --passphrase-file secret.txt
            """) { file, output, force };
        return verb.Writes(parsed => [parsed.GetValue(output) ?? parsed.GetValue(file)!]).Does(parsed =>
        {
            string from = parsed.GetValue(file)!, to = parsed.GetValue(output) ?? from;
            CommandException.RequireFree(to, to == from || parsed.GetValue(force));
            // Only recordings: what it is cannot be seen any more behind encryption.
            using (RecordingFile recording = OpenRecording.OpenFile(from, context)) context.Passphrases.For(to, isNew: true);
            Encrypt(from, to, context);
            context.Out.WriteLine($"{to}: encrypted, {Words.Size(new FileInfo(to).Length)}");
            return ExitCode.Good;
        });
    }

    /// <summary>Encrypts a recording that is not.</summary>
    public static void Encrypt(string from, string to, CommandContext context)
    {
        RecordingPassphrase passphrase = context.Passphrases.For(to, isNew: true);
        ProgressDisplay.Run("encrypting", progress =>
        {
            RecordingEncryption.Encrypt(from, to, passphrase, RandomNumberGenerator.GetBytes(RecordingEncryption.SaltSizeBytes), progress);
            return true;
        });
    }
}
