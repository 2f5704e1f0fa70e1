using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Cli.Ci;
using Cli.Hosting;
using Cli.Parsing;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm verify FILE...</c></summary>
internal static class VerifyVerb
{
    private const int MaximumJobs = 1024;

    public static VerbCommand Create(CommandContext context)
    {
        var files = new Argument<string[]>("FILE") { Description = "Recordings, directories of recordings, or patterns such as 'traces/**/*.ttvm'", Arity = ArgumentArity.OneOrMore };
        Option<string?> junit = SharedOptions.JUnit();
        var shard = new Option<string?>("--shard") { Description = "Verify only part i of n: for several machines that share the work", HelpName = "i/n" };
        var jobs = new Option<string?>("--jobs", "-j") { Description = "Machines that replay side by side; by default one for each processor", HelpName = "N" };
        var list = new Option<bool>("--list") { Description = "Only print which recordings would be verified, one a line" };
        var key = new Option<string?>("--key") { Description = "Check first that each is as it was signed with this key (public, as PEM)", HelpName = "FILE" };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("verify",
            "Replays recordings completely and compares every hash, input, output and state digest. Several are done at the same time, on all processors. "
            + "Exit code 0 only if all are as recorded; 1 if a replay differs, or a signature does not pass; 3 if a file is damaged.", $"""
            For each recording there is one line: how much was replayed and in what time, or where it first differs from what was recorded. A damaged file does not
            keep the others from being verified. With --shard, recordings are dealt out in turn, in the order in which they are named.

            {Shard.EnvironmentHelp}

            Examples:
              ttvm verify boot.ttvm
              ttvm verify traces/*.ttvm
              ttvm verify traces --junit results.xml
              ttvm verify traces --shard 2/4 --jobs 8
              ttvm verify boot.ttvm --key pub.pem
            """) { files, junit, shard, jobs, list, key, json };
        return verb.Does(parsed =>
        {
            IReadOnlyList<string> paths = RecordingPaths.Expand(parsed.GetValue(files)!);
            Shard part = ShardOf(context, parsed.GetValue(shard));
            string[] mine = [.. paths.Where((_, i) => part.Has(i))];
            if (parsed.GetValue(list))
            {
                foreach (string path in mine) context.Out.WriteLine(path);
                return ExitCode.Good;
            }
            int machines = parsed.GetValue(jobs) is { } text ? Math.Max(1, NumberSyntax.ParseNumber(text, "--jobs", MaximumJobs)) : 0;
            var run = new VerificationRun(context, mine, parsed.GetValue(key) is { } pem ? new SignatureKey(pem) : null, parsed.GetValue(json));
            return Verify(context, mine, run, machines, parsed.GetValue(junit), part.IsWhole ? "ttvm verify" : $"ttvm verify {part}");
        });
    }

    private static Shard ShardOf(CommandContext context, string? text)
    {
        if (text is not null) return Shard.Parse(text);
        Shard shard = Shard.FromEnvironment(Environment.GetEnvironmentVariable, out string source);
        if (!shard.IsWhole) context.Error.WriteLine($"ttvm: verifying part {shard} of the recordings, by {source}");
        return shard;
    }

    private static int Verify(CommandContext context, string[] paths, VerificationRun run, int jobs, string? junit, string suite)
    {
        if (paths.Length == 0)
        {
            context.Error.WriteLine("ttvm: there are fewer recordings than parts: nothing is left for this one");
            if (junit is not null) JUnitReport.Write(junit, suite, []);
            return ExitCode.Good;
        }
        // Asked for before a bar is drawn.
        if (paths.FirstOrDefault(static path => File.Exists(path) && RecordingEncryption.IsEncrypted(path)) is { } secret) context.Passphrases.For(secret);
        try
        {
            run.Run(jobs);
        }
        finally
        {
            // Also when it was stopped: what was done is known.
            if (junit is not null) JUnitReport.Write(junit, suite, run.Cases());
        }
        run.WriteSummary();
        return run.ExitCode;
    }
}
