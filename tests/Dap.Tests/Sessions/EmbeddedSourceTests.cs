using System;
using System.IO;
using System.Text.Json.Nodes;
using Introspection.Programs;
using Replay.Packages;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>A recording that carries its sources debugs at source level where the files are gone.</summary>
public sealed class EmbeddedSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-embedded").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Sources_in_the_recording_serve_where_the_disk_has_none()
    {
        string source = Path.Combine(_folder, "gone", "story.c"), carrying = Path.Combine(_folder, "carrying.ttvm");
        Directory.CreateDirectory(Path.GetDirectoryName(source)!);
        File.Copy(CallsGuest.Source, source);
        using var guest = new CallsGuest("-O1", source);
        Guid identity;
        using (RecordingFile recording = RecordingFile.Open(guest.Recording))
        {
            using GuestPrograms programs = SymbolLoader.Load(recording, null, null, Assert.Fail);
            Assert.Contains(source, programs.AllSources());
            RecordingEmbedder.Embed(recording, carrying, [], [new FileToEmbed(source, source)]);
            identity = recording.Identity;
        }
        string text = File.ReadAllText(source);
        File.Delete(source);
        using (RecordingFile recording = RecordingFile.Open(carrying))
        {
            Assert.Equal(identity, recording.Identity);
            Assert.Equal([source], recording.Embedded.SourcePaths);
            Assert.Equal(text, recording.Embedded.ReadSource(source));
            Assert.Null(recording.Embedded.ReadSource("/etc/passwd"));
        }

        using TestClient client = TestClient.Launched(carrying);
        JsonNode answer = client.Body("setBreakpoints", $$"""{"source":{"path":"{{source}}","sourceReference":1},"breakpoints":[{"line":21}]}""")["breakpoints"]![0]!;
        Assert.True((bool)answer["verified"]!, answer.ToJsonString());
        client.Move("continue");
        JsonNode frame = client.Body("stackTrace", """{"threadId":1,"levels":1}""")["stackFrames"]![0]!;
        Assert.Equal(source, (string?)frame["source"]!["path"]);
        Assert.Equal((int)answer["line"]!, (int)frame["line"]!);
        string asked = $$"""{"source":{"path":"{{source}}"},"sourceReference":{{frame["source"]!["sourceReference"]}}}""";
        Assert.Equal(text, (string?)client.Body("source", asked)["content"]);
    }

    [Fact]
    public void Symbol_files_travel_in_the_recording_too()
    {
        using var guest = new CallsGuest("-O1");
        string symbols = Path.Combine(_folder, "other.elf"), carrying = Path.Combine(_folder, "carrying.ttvm");
        using (RecordingFile recording = RecordingFile.Open(guest.Recording))
        {
            File.WriteAllBytes(symbols, recording.Configuration.FindImage("kernel")!.Content.ToArray());
            RecordingEmbedder.Embed(recording, carrying, [new FileToEmbed("other.elf", symbols)], []);
        }
        using RecordingFile carried = RecordingFile.Open(carrying);
        Assert.Equal(["other.elf"], carried.Embedded.SymbolNames);
        Assert.Equal(File.ReadAllBytes(symbols), carried.Embedded.ReadSymbols(0));
        using GuestPrograms programs = SymbolLoader.Load(carried, null, null, Assert.Fail);
        Assert.Equal(2, programs.Files.Count);
        // What was embedded is replaced, not added to.
        RecordingEmbedder.Embed(carried, carrying + "2", [], []);
        using RecordingFile plain = RecordingFile.Open(carrying + "2");
        Assert.Empty(plain.Embedded.SymbolNames);
        Assert.Equal(carried.Identity, plain.Identity);
    }
}
