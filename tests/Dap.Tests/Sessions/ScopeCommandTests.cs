using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Introspection.Programs;
using Introspection.Unwinding;
using Symbols.Dwarf.Functions;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>What the console's <c>info scope</c> and <c>info address</c> mean by a name, and say when there is none.</summary>
public sealed class ScopeCommandTests
{
    [Theory]
    [InlineData("O2")]
    [InlineData("inlined")]
    public void A_functions_name_means_the_function_and_not_what_begins_with_it(string optimization)
    {
        using var guest = new TasksGuest(optimization, chaosSeed: 7);
        using GuestPrograms programs = TasksGuest.ProgramsOf(guest.Recording);
        SymbolSet symbols = programs.AsLinked;
        int others = 0;
        var names = new SortedSet<string>();
        foreach (LoadedFile file in symbols.Files)
            for (int unit = 0; unit < file.Dwarf.UnitCount; unit++) names.UnionWith(file.Dwarf.FunctionsOf(unit).Select(static function => function.Name).OfType<string>());
        foreach (string name in names)
        {
            foreach (ulong address in symbols.FunctionAddresses(name))
            {
                Assert.Equal(name, CallStack.At(address, symbols, name)?.Source?.FunctionName);
                if (CallStack.At(address, symbols)?.Source?.FunctionName != name) others++;
            }
        }
        // In some, the first instruction behind the prologue is another function's.
        if (optimization == "inlined") Assert.True(others > 0);
    }

    [Fact]
    public void A_missing_name_is_answered_by_the_commands_own_usage()
    {
        using var guest = new TasksGuest("O0", chaosSeed: 7);
        using TestClient client = TestClient.Launched(guest.Recording);
        JsonNode answer = client.Ask("evaluate", """{"expression":"info address","context":"repl"}""");
        Assert.Contains("usage: info address NAME", answer.ToJsonString(), System.StringComparison.Ordinal);
        answer = client.Ask("evaluate", """{"expression":"info nothing","context":"repl"}""");
        Assert.Contains("usage: info locals", answer.ToJsonString(), System.StringComparison.Ordinal);
    }
}
