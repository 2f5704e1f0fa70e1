using System.IO;
using Introspection.Consoles;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>The VGA text screen as lines and as JSON.</summary>
internal static class ScreenView
{
    public static void Write(TextWriter output, Machine machine, bool asJson)
    {
        TextScreen screen = TextScreen.Of(machine);
        if (!asJson)
        {
            foreach (string text in screen.Rows) output.WriteLine(text);
            return;
        }
        JsonText.WriteObject(output, json =>
        {
            json.WritePosition("position", machine.Position);
            json.WriteNumber("cursorRow", screen.CursorRow);
            json.WriteNumber("cursorColumn", screen.CursorColumn);
            json.WriteStartArray("rows");
            foreach (string text in screen.Rows) json.WriteStringValue(text);
            json.WriteEndArray();
        });
    }
}
