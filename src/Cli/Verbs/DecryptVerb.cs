using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm decrypt FILE</c></summary>
internal static class DecryptVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var output = new Option<string?>("--output", "-o") { Description = "Write it there; by default FILE is replaced", HelpName = "FILE" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("decrypt", "Writes an encrypted recording as it was before it was encrypted, to the last byte. To look into one, that is not needed.", """
            Examples:
              ttvm decrypt boot-secret.ttvm -o boot.ttvm
              ttvm decrypt boot-secret.ttvm -o boot.ttvm --passphrase-file secret.txt
            """) { file, output, force };
        return verb.Writes(parsed => [parsed.GetValue(output) ?? parsed.GetValue(file)!]).Does(parsed =>
        {
            string from = parsed.GetValue(file)!, to = parsed.GetValue(output) ?? from;
            CommandException.RequireFree(to, to == from || parsed.GetValue(force));
            if (!File.Exists(from)) throw CommandException.BadFile($"{from} does not exist");
            if (!RecordingEncryption.IsEncrypted(from)) throw CommandException.BadFile($"{from} is not encrypted");
            RecordingPassphrase passphrase = context.Passphrases.For(from);
            ProgressDisplay.Run("decrypting", progress =>
            {
                RecordingEncryption.Decrypt(from, to, passphrase, progress);
                return true;
            });
            context.Out.WriteLine($"{to}: decrypted");
            return ExitCode.Good;
        });
    }
}
