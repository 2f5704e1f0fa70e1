using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm sign FILE --key KEY.pem [--check]</c></summary>
internal static class SignVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var key = new Option<string>("--key") { Description = "The private key as PEM, or the public one with --check: elliptic on P-256, or RSA", HelpName = "FILE", Required = true };
        var check = new Option<bool>("--check") { Description = "Check the signature instead, and the hash of every part" };
        var output = new Option<string?>("--output", "-o") { Description = "Write it there; by default FILE is replaced", HelpName = "FILE" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("sign",
            "Signs a recording: nothing in it can then be changed, dropped or put elsewhere without --check telling so, embedded symbols, sources and named positions included. "
            + "Its identity stays. --check does not replay; `ttvm verify` does. Exit code of --check: 0 if it is as it was signed with this key, 1 if not.", """
            Examples:
              openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem && openssl pkey -in key.pem -pubout -out pub.pem
              ttvm sign boot.ttvm --key key.pem
              ttvm sign boot.ttvm --key pub.pem --check
            """) { file, key, check, output, force };
        return verb.Writes(parsed => parsed.GetValue(check) ? [] : [parsed.GetValue(output) ?? parsed.GetValue(file)!]).Does(parsed =>
        {
            string from = parsed.GetValue(file)!, pem = parsed.GetValue(key)!, to = parsed.GetValue(output) ?? from;
            bool checks = parsed.GetValue(check);
            if (checks && parsed.GetValue(output) is not null) throw CommandException.Usage("--check writes nothing: leave -o out");
            CommandException.RequireFree(to, to == from || parsed.GetValue(force));
            if (!checks) OpenRecording.CheckOutput(from, to, context);
            var named = new SignatureKey(pem);
            using OpenRecording recording = OpenRecording.Open(from, context);
            if (checks)
            {
                if (named.Check(recording.File) is { } problem) throw CommandException.Failed(problem);
                context.Out.WriteLine($"{from}: as it was signed with this key");
                return ExitCode.Good;
            }
            try
            {
                ManifestSignature made = RecordingSigner.Sign(recording.File, to, named.Pem);
                context.Out.WriteLine($"{to}: signed ({made.Algorithm}, key {made.KeyId[..16]})");
                return ExitCode.Good;
            }
            catch (SigningKeyException e)
            {
                throw named.Refused(e);
            }
        });
    }
}
