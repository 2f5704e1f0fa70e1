using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
using Dap.Sessions;
using TestKit;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>What is said in whole sessions, for every request, in both directions, at both ends of a recording.</summary>
public sealed class TranscriptTests(Recordings recordings)
{
    // In the demo kernel as committed: bank_deposit, and the balance of the account.
    private const string Deposit = "0xffffffff80102ccb", Balance = "0xffffffff80104658";
    private const string Thread1 = """{"threadId":1}""";
    private const string ByInstruction = """{"threadId":1,"granularity":"instruction"}""";

    [Fact]
    public void Every_request_is_in_a_transcript()
    {
        var missing = new SortedSet<string>(DapServer.Requests, StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(TestKit.Repository.PathOf("tests/Dap.Tests/golden"), "*.txt"))
            foreach (string line in File.ReadLines(file))
                if (line.StartsWith("> ", StringComparison.Ordinal)) missing.Remove(line.Split(' ')[1]);
        Assert.Empty(missing);
    }

    [Fact]
    public void Lifecycle()
    {
        using var client = new TestClient();
        client.Ask("threads");
        client.Ask("launch", """{"program":"x.ttvm"}""");
        client.Ask("initialize", """{"adapterID":"ttvm","clientID":"test"}""");
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        client.Ask("configurationDone");
        client.Ask("launch");
        client.Ask("launch", """{"program":"/nowhere/x.ttvm"}""");
        client.Ask("launch", """{"program":"/"}""");
        client.Ask("launch", new JsonObject { ["program"] = TestKit.GuestImages.PrebuiltDemo64 }.ToJsonString());
        client.Ask("launch", new JsonObject { ["program"] = recordings.One, ["at"] = "noon" }.ToJsonString());
        client.Ask("attach", "{}");
        client.Ask("launch", new JsonObject { ["program"] = recordings.One, ["at"] = "50%" }.ToJsonString());
        client.Ask("launch", new JsonObject { ["program"] = recordings.One }.ToJsonString());
        client.Ask("setBreakpoints", """{"source":{"path":"/src/main.c"},"breakpoints":[{"line":5}]}""");
        client.Ask("setExceptionBreakpoints", """{"filters":[]}""");
        client.Ask("configurationDone");
        client.Ask("threads");
        client.Ask("pause", Thread1);
        client.Ask("source", """{"sourceReference":1}""");
        client.Ask("cancel", """{"requestId":1}""");
        client.Ask("cancel", """{"requestId":"x"}""");
        client.Ask("ttvm/type", """{"text":"x"}""");
        client.Ask("ttvm/type");
        client.Ask("restart");
        client.Ask("terminate");
        client.Ask("disconnect");
        client.Close();
        Golden.Check("lifecycle", client.Transcript);
    }

    [Fact]
    public void Running_without_a_stop_at_the_beginning()
    {
        using var client = new TestClient();
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        client.Ask("launch", new JsonObject { ["program"] = recordings.One, ["stopOnEntry"] = false }.ToJsonString());
        client.Ask("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}"}]}""");
        client.Ask("configurationDone");
        Golden.Check("no-stop-on-entry", client.Transcript);
    }

    [Fact]
    public void Stepping()
    {
        using TestClient client = TestClient.Launched(recordings.One, "start");
        client.Note("the start of the recording, backwards, twice");
        foreach (string command in (string[])["stepBack", "stepBack", "reverseContinue", "ttvm/reverseStepIn"]) client.Ask(command, Thread1);
        client.Ask("ttvm/reverseStepOut", Thread1);
        client.Note("to a function, in, over and out, and the same backwards");
        client.Ask("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}"}]}""");
        client.Ask("continue", Thread1);
        client.Ask("setInstructionBreakpoints", """{"breakpoints":[]}""");
        client.Ask("stackTrace", Thread1);
        foreach (string command in (string[])["stepIn", "stepIn", "stepBack", "stepBack", "stepBack", "next", "stepBack", "stepIn", "ttvm/reverseStepOut", "stepIn", "stepOut", "stepBack"])
        {
            client.Ask(command, """{"threadId":1,"granularity":"instruction"}""");
            client.Ask("stackTrace", """{"threadId":1,"startFrame":0,"levels":2}""");
        }
        client.Note("the end of the recording, forwards, twice");
        client.Ask("continue", Thread1);
        foreach (string command in (string[])["continue", "stepIn", "next", "stepBack", "stepIn"]) client.Ask(command, ByInstruction);
        client.Ask("next", """{"threadId":9}""");
        client.Ask("next");
        Golden.Check("stepping", client.Transcript);
    }

    [Fact]
    public void Source_lines()
    {
        using TestClient client = TestClient.Launched(recordings.One, "start");
        string bank = $$"""{"source":{"path":"{{TestKit.Repository.PathOf("guests/demo64/bank.c")}}"}""";
        client.Ask("loadedSources");
        client.Ask("breakpointLocations", bank + ""","line":36,"endLine":52}""");
        client.Ask("setBreakpoints", bank + ""","breakpoints":[{"line":42},{"line":5000},{"line":44,"condition":"amount =="},{"line":44,"hitCondition":"often"},"""
            + """{"line":45,"hitCondition":">= 2","logMessage":"checksum in {eax}"}]}""");
        client.Ask("continue", Thread1);
        client.Ask("setBreakpoints", bank + ""","breakpoints":[]}""");
        client.Ask("stackTrace", Thread1);
        client.Note("steps, and the same backwards");
        foreach (string command in (string[])["next", "next", "stepIn", "stepOut", "next", "stepBack", "ttvm/reverseStepIn", "stepBack", "ttvm/reverseStepOut"])
        {
            client.Ask(command, Thread1);
            client.Ask("stackTrace", """{"threadId":1,"startFrame":0,"levels":2}""");
        }
        client.Note("to the next and the last time that a line is executed");
        client.Ask("gotoTargets", bank + ""","line":44}""");
        client.Ask("goto", """{"threadId":1,"targetId":1}""");
        client.Ask("goto", """{"threadId":1,"targetId":2}""");
        client.Ask("goto", """{"threadId":1,"targetId":77}""");
        client.Ask("gotoTargets", bank + ""","line":5000}""");
        client.Ask("dataBreakpointInfo", """{"name":"account"}""");
        client.Ask("source", """{"sourceReference":1}""");
        Golden.Check("sources", client.Transcript);
    }

    [Fact]
    public void Breakpoints_in_both_directions()
    {
        using TestClient client = TestClient.Launched(recordings.One, "start");
        client.Ask("setInstructionBreakpoints",
            """{"breakpoints":[{"instructionReference":"0xffffffff80102cc0","offset":11},{"instructionReference":"0x2","condition":"rdi =="},"""
            + """{"instructionReference":"main"},{"instructionReference":"0x1","hitCondition":"3"}]}""");
        for (int i = 0; i < 2; i++) client.Ask("continue", Thread1);
        client.Ask("reverseContinue", Thread1);
        client.Ask("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}","condition":"rdi > 60"}]}""");
        client.Ask("continue", Thread1);
        client.Ask("setInstructionBreakpoints", """{"breakpoints":[]}""");
        client.Note("data");
        client.Ask("dataBreakpointInfo", $$"""{"name":"{{Balance}}","bytes":4,"asAddress":true}""");
        client.Ask("dataBreakpointInfo", """{"name":"rax"}""");
        client.Ask("dataBreakpointInfo", """{"name":"dword[rsp+8]"}""");
        client.Ask("dataBreakpointInfo", """{"name":"x","bytes":4,"asAddress":true}""");
        client.Ask("dataBreakpointInfo", """{"name":"0x10","bytes":0,"asAddress":true}""");
        client.Ask("setDataBreakpoints", $$"""{"breakpoints":[{"dataId":"{{Balance}}:4","accessType":"write"},{"dataId":"rubbish"}]}""");
        client.Ask("reverseContinue", Thread1);
        client.Ask("reverseContinue", Thread1);
        client.Ask("continue", Thread1);
        client.Ask("setDataBreakpoints", """{"breakpoints":[]}""");
        client.Note("exceptions and the like");
        foreach (string filter in (string[])["exceptions", "vector-14", "interrupts", "softwareInterrupts", "port", "mmio", "msr", "cr"])
        {
            client.Ask("ttvm/seek", """{"position":"50%"}""");
            client.Ask("setExceptionBreakpoints", $$"""{"filters":["{{filter}}"]}""");
            client.Ask("continue", Thread1);
            client.Ask("reverseContinue", Thread1);
        }
        client.Ask("setExceptionBreakpoints",
            """{"filters":["tripleFault","nonsense"],"filterOptions":[{"filterId":"console","condition":"deposited"},"""
            + """{"filterId":"port","condition":"x"},{"filterId":"cr","condition":"3"}]}""");
        client.Ask("continue", Thread1);
        client.Ask("reverseContinue", Thread1);
        client.Ask("ttvm/seek", """{"position":"50%"}""");
        client.Ask("setExceptionBreakpoints", """{"filters":[]}""");
        client.Ask("setFunctionBreakpoints", $$"""{"breakpoints":[{"name":"write {{Balance}} 8"},{"name":"write nowhere 8"},{"name":"access {{Balance}} many"}]}""");
        client.Ask("reverseContinue", Thread1);
        client.Ask("setFunctionBreakpoints", $$"""{"breakpoints":[{"name":"bank_deposit"},{"name":"{{Deposit}}"}]}""");
        Golden.Check("breakpoints", client.Transcript);
    }

    [Fact]
    public void State_of_two_processors()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "50%");
        client.Ask("threads");
        client.Ask("stackTrace", """{"threadId":2}""");
        JsonNode frames = client.Body("stackTrace", Thread1)["stackFrames"]!;
        JsonNode scopes = client.Body("scopes", $$"""{"frameId":{{frames[0]!["id"]}}}""")["scopes"]!;
        foreach (JsonNode? scope in scopes.AsArray())
        {
            JsonNode variables = client.Body("variables", $$"""{"variablesReference":{{scope!["variablesReference"]}}}""")["variables"]!;
            int opened = 0;
            foreach (JsonNode? variable in variables.AsArray())
            {
                if ((int)variable!["variablesReference"]! == 0 || opened++ >= 7) continue;
                client.Ask("variables", $$"""{"variablesReference":{{variable["variablesReference"]}},"start":2,"count":3}""");
            }
        }
        client.Ask("variables", """{"variablesReference":9999}""");
        client.Ask("scopes", """{"frameId":77}""");
        client.Ask("stepIn", """{"threadId":2,"granularity":"instruction"}""");
        client.Ask("scopes", """{"frameId":1}""");
        client.Ask("stepBack", """{"threadId":2,"granularity":"instruction"}""");
        client.Ask("ttvm/position");
        Golden.Check("state", client.Transcript);
    }

    [Fact]
    public void Memory_and_disassembly()
    {
        using TestClient client = TestClient.Launched(recordings.One, "70%");
        client.Ask("readMemory", $$"""{"memoryReference":"{{Deposit}}","offset":-3,"count":16}""");
        client.Ask("readMemory", """{"memoryReference":"phys:0x102ccb","count":8}""");
        client.Ask("readMemory", """{"memoryReference":"0x7fffffff0000","count":8192}""");
        client.Ask("readMemory", """{"memoryReference":"elsewhere","count":8}""");
        client.Ask("readMemory", """{"memoryReference":"0x0","count":999999999}""");
        client.Ask("disassemble", $$"""{"memoryReference":"{{Deposit}}","instructionOffset":-8,"instructionCount":16,"resolveSymbols":true}""");
        client.Ask("disassemble", $$"""{"memoryReference":"{{Deposit}}","instructionOffset":2,"instructionCount":2}""");
        client.Ask("disassemble", """{"memoryReference":"0x7fffffff0000","instructionOffset":-2,"instructionCount":4}""");
        client.Ask("disassemble", """{"memoryReference":"0x0","instructionCount":999999999}""");
        client.Note("writing opens a diversion");
        client.Ask("writeMemory", $$"""{"memoryReference":"{{Balance}}","data":"not base 64"}""");
        client.Ask("writeMemory", """{"memoryReference":"0x7fffffff0000","data":"AAAA"}""");
        client.Ask("writeMemory", $$"""{"memoryReference":"{{Balance}}","data":"AQIDBA=="}""");
        client.Ask("readMemory", $$"""{"memoryReference":"{{Balance}}","count":4}""");
        client.Ask("threads");
        client.Ask("stepIn", ByInstruction);
        foreach (string command in (string[])["stepBack", "reverseContinue", "ttvm/reverseStepIn"]) client.Ask(command, Thread1);
        client.Ask("ttvm/seek", """{"position":"start"}""");
        client.Ask("ttvm/lastWrite", $$"""{"address":"{{Balance}}"}""");
        client.Ask("ttvm/returnToRecording");
        client.Ask("readMemory", $$"""{"memoryReference":"{{Balance}}","count":4}""");
        client.Ask("ttvm/returnToRecording");
        Golden.Check("memory", client.Transcript);
    }

    [Fact]
    public void Variables()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        string bank = Repository.PathOf("guests/demo64/bank.c");
        client.Ask("setBreakpoints", $$"""{"source":{"path":"{{bank}}"},"breakpoints":[{"line":43,"condition":"amount > 5 && account.balance != 0"}]}""");
        client.Ask("continue", Thread1);
        JsonNode frames = client.Body("stackTrace", Thread1)["stackFrames"]!;
        JsonNode frame = frames[0]!["id"]!;
        JsonNode scopes = client.Body("scopes", $$"""{"frameId":{{frame}}}""")["scopes"]!;
        client.Ask("variables", $$"""{"variablesReference":{{scopes[0]!["variablesReference"]}}}""");
        JsonNode globals = client.Body("variables", $$"""{"variablesReference":{{scopes[1]!["variablesReference"]}}}""")["variables"]!;
        client.Ask("variables", $$"""{"variablesReference":{{globals[0]!["variablesReference"]}}}""");
        foreach (string expression in (string[])["balance", "account.balance + amount", "&account", "*&account.mcsLock", "sizeof(Account)",
            "(int)-1 < 1u", "account.mcsLock.name", "balance,x", "nothing", "account.nothing", "bank_deposit"])
            client.Ask("evaluate", $$"""{"expression":"{{expression}}","frameId":{{frame}},"context":"watch"}""");
        client.Ask("evaluate", $$"""{"expression":"bank_deposit(1)","frameId":{{frame}},"context":"watch"}""");
        client.Ask("evaluate", $$"""{"expression":"amount","frameId":{{frame}},"context":"hover"}""");
        client.Ask("setVariable", $$"""{"variablesReference":{{scopes[0]!["variablesReference"]}},"name":"balance","value":"amount * 1000"}""");
        client.Ask("setExpression", """{"expression":"account.balance","value":"0x1234"}""");
        client.Ask("evaluate", """{"expression":"call kernel_cr3()","context":"repl"}""");
        client.Ask("evaluate", """{"expression":"call memset(&account, 0, sizeof account)","context":"repl"}""");
        client.Ask("evaluate", """{"expression":"account.balance","context":"watch"}""");
        client.Ask("evaluate", """{"expression":"return","context":"repl"}""");
        client.Note("a client that has asked before it heard of the stop");
        client.Ask("scopes", $$"""{"frameId":{{frame}}}""");
        client.Ask("variables", $$"""{"variablesReference":{{scopes[0]!["variablesReference"]}}}""");
        client.Ask("evaluate", """{"expression":"account.balance","context":"watch"}""");
        Golden.Check("variables", client.Transcript);
    }

    [Fact]
    public void Places_of_variables()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        client.Ask("setBreakpoints", $$"""{"source":{"path":"{{Repository.PathOf("guests/demo64/bank.c")}}"},"breakpoints":[{"line":43}]}""");
        client.Ask("continue", Thread1);
        foreach (string command in (string[])["info scope", $"info scope {Deposit}", "info scope rip + 0x10000000", "info scope nothing", "info address amount",
            "info address balance", "info address account", "info address nothing", "info address"])
            client.Ask("evaluate", new JsonObject { ["expression"] = command, ["context"] = "repl" }.ToJsonString());
        Golden.Check("variable-places", client.Transcript);
    }

    [Fact]
    public void Evaluating()
    {
        using TestClient client = TestClient.Launched(recordings.One, "start");
        client.Ask("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}"}]}""");
        client.Ask("continue", Thread1);
        foreach (string expression in (string[])["rip", "$rsp + 8", "[rsp]", "dword[rsp+4]", "phys[0x102ccb]", "(1 + 2) * 3 == 9 && !0", "eax", "ah", "-1",
            "rip >> 60", "cs", "rdi ==", "[0x7fffffff0000]", "nothing", "1/0", "((", "0xfffffffffffffffff"])
            client.Ask("evaluate", new JsonObject { ["expression"] = expression, ["context"] = "watch" }.ToJsonString());
        foreach (string command in (string[])["help", "position", "info registers", "info recording", "info", "exits",
            "x/4gx rsp", "x/3i rip", "x/3wd rsp", "x/8bx 0x7fffffff0000", "x/0gx rsp", "x/3q rsp", "walk rip", "walk 0x7fffffff0000", "walk",
            $"lastwrite {Balance} 4", $"nextwrite {Balance} 4", "lastwrite phys:0x104658 4", "nextwrite 0x7fffffff0000", "lastwrite", "seek 10%", "seek 200%", "seek", "return", "rax + 1"])
            client.Ask("evaluate", new JsonObject { ["expression"] = command, ["context"] = "repl" }.ToJsonString());
        client.Ask("completions", """{"text":"se","column":3}""");
        client.Ask("completions", """{"text":"walk r1","column":8}""");
        client.Note("radix");
        client.Ask("ttvm/radix", """{"radix":10}""");
        client.Ask("evaluate", """{"expression":"rip & 0xfff"}""");
        client.Ask("ttvm/radix", """{"radix":16}""");
        client.Ask("evaluate", """{"expression":"rip & 0xfff"}""");
        client.Ask("ttvm/radix", """{"radix":8}""");
        client.Note("changing");
        client.Ask("setExpression", """{"expression":"cr3","value":"1"}""");
        client.Ask("setExpression", """{"expression":"rbx","value":"rbx + 0x10"}""");
        client.Ask("evaluate", """{"expression":"rbx"}""");
        client.Ask("setExpression", """{"expression":"dword[rsp]","value":"0x11223344"}""");
        client.Ask("evaluate", """{"expression":"[rsp]"}""");
        JsonNode frame = client.Body("stackTrace", Thread1)["stackFrames"]![0]!["id"]!;
        JsonNode scope = client.Body("scopes", $$"""{"frameId":{{frame}}}""")["scopes"]![2]!["variablesReference"]!;
        client.Ask("setVariable", $$"""{"variablesReference":{{scope}},"name":"rcx","value":"7"}""");
        client.Ask("setVariable", $$"""{"variablesReference":{{scope}},"name":"SSE","value":"7"}""");
        client.Ask("evaluate", """{"expression":"rcx"}""");
        client.Ask("evaluate", """{"expression":"seek start","context":"repl"}""");
        client.Ask("continue", Thread1);
        client.Ask("continue", Thread1);
        client.Ask("evaluate", """{"expression":"return","context":"repl"}""");
        client.Ask("evaluate", """{"expression":"rbx"}""");
        Golden.Check("evaluating", client.Transcript);
    }

    [Fact]
    public void Travelling()
    {
        using TestClient client = TestClient.Launched(recordings.One, "end");
        client.Ask("ttvm/position");
        foreach (string position in (string[])["start", "12345", "33.3%", "end", "999999999999", "soon"]) client.Ask("ttvm/seek", $$"""{"position":"{{position}}"}""");
        client.Ask("ttvm/seek");
        client.Ask("ttvm/lastWrite", $$"""{"address":"{{Balance}}","bytes":4}""");
        client.Ask("ttvm/lastWrite", $$"""{"address":"{{Balance}}","bytes":4}""");
        client.Ask("ttvm/nextWrite", $$"""{"address":"{{Balance}}","bytes":4}""");
        client.Ask("ttvm/nextWrite", """{"address":"0x7fffffff0000"}""");
        client.Ask("ttvm/lastWrite", """{"address":"no address"}""");
        client.Ask("ttvm/lastWrite", """{"address":"0x0","bytes":0}""");
        client.Ask("restart");
        client.Ask("ttvm/position");
        Golden.Check("travelling", client.Transcript);
    }

    [Fact]
    public void Origins()
    {
        using TestClient client = TestClient.Launched(recordings.One, "end");
        client.Ask("ttvm/origin", $$"""{"memoryReference":"{{Balance}}","count":8,"depth":4,"nodes":6}""");
        client.Ask("ttvm/origin", """{"register":"rax","threadId":1,"depth":2}""");
        client.Ask("ttvm/origin", """{"evaluateName":"dword[rsp]","depth":1,"addresses":true}""");
        client.Ask("ttvm/origin", """{"register":"cr3"}""");
        client.Ask("ttvm/origin", """{"evaluateName":"no name"}""");
        client.Ask("ttvm/origin", $$"""{"memoryReference":"{{Balance}}","count":17}""");
        client.Ask("ttvm/origin", """{"memoryReference":"0x7fffffff0000"}""");
        client.Ask("ttvm/origin");
        client.Ask("ttvm/position");
        Golden.Check("origins", client.Transcript);
    }

    [Fact]
    public void Translated_code()
    {
        using TestClient client = TestClient.Launched(recordings.One, "10%");
        client.Ask("ttvm/translatedCode", """{"threadId":1}""");
        client.Ask("ttvm/translatedCode", """{"threadId":7}""");
        client.Ask("ttvm/seek", """{"position":"0"}""");
        // The first instruction is CLI, which the interpreter executes.
        client.Ask("ttvm/translatedCode", """{"threadId":1}""");
        // Looking has changed nothing: the session goes on exactly.
        client.Ask("ttvm/seek", """{"position":"end"}""");
        Golden.Check("translated-code", client.Transcript);
    }

    [Fact]
    public void Calls()
    {
        using TestClient client = TestClient.Launched(recordings.One, "50%");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","count":2}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","start":1,"count":1,"from":"10%","to":"90%"}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","condition":"amount == 0x36 && $rdi == arg0 && ret > 60000"}""");
        client.Ask("ttvm/calls", $$"""{"function":"{{Deposit}}","abi":"sysv","condition":"amount > 1000"}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","condition":"amont == 1"}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","condition":"amount =="}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposits"}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","abi":"fastcall"}""");
        client.Ask("ttvm/calls", """{"function":"bank_deposit","from":"90%","to":"10%"}""");
        client.Ask("ttvm/calls");
        client.Note("to the last and the next one");
        client.Ask("ttvm/findCall", """{"function":"bank_deposit"}""");
        client.Ask("ttvm/findCall", """{"function":"bank_deposit","forward":true}""");
        client.Ask("ttvm/findCall", """{"function":"bank_deposit","forward":true,"condition":"amount == 0x36"}""");
        client.Ask("ttvm/findCall", """{"function":"bank_deposit","forward":true,"condition":"amount == 0x3636"}""");
        client.Ask("ttvm/findCall", """{"function":"nowhere_at_all"}""");
        client.Ask("ttvm/position");
        Golden.Check("calls", client.Transcript);
    }
}
