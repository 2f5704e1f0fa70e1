using System;
using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Sessions.Scopes;
using Vmm.Cpu;

namespace Dap.Requests;

/// <summary>What the machine looks like where it stands: vCPUs as threads, and scopes that are read when they are opened.</summary>
internal sealed class StateRequests
{
    private const int MaximumVariables = 4096;
    private readonly Session _session;

    public StateRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add(Commands.Threads, Threads);
        requests.Add<ScopesArguments>(Commands.Scopes, ReadScopes);
        requests.Add<VariablesArguments>(Commands.Variables, Variables);
        requests.Add<SetVariableArguments>(Commands.SetVariable, SetVariable);
    }

    private Answer Threads()
    {
        var threads = new Thread[_session.Machine.Vcpus.Count];
        for (int i = 0; i < threads.Length; i++)
        {
            string activity = _session.IsRunning ? "running" : Describe(_session.ViewOf(i));
            threads[i] = new Thread { Id = Session.ThreadOfCpu(i), Name = $"vCPU {i}: {activity}{(_session.IsDiverted ? " [diversion]" : "")}" };
        }
        return Answer.Of(new ThreadsResponseBody { Threads = threads });
    }

    /// <summary>What a vCPU is doing, in a few words.</summary>
    public static string Describe(in GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        string activity = s.Activity switch
        {
            VcpuActivity.Halted => "halted, ",
            VcpuActivity.WaitingForSipi => "waiting to be started, ",
            VcpuActivity.Shutdown => "shut down, ",
            _ => "",
        };
        return $"{activity}{VcpuText.Mode(view)}{(view.Machine.CurrentCpuIndex == view.Vcpu.Index ? ", its turn" : "")}";
    }

    private Answer ReadScopes(ScopesArguments arguments)
    {
        // A client that looks again after a command of the console has not heard yet that the command moved the machine; it will ask anew.
        if (_session.Frames.HasHeld(arguments.FrameId)) return Answer.Of(new ScopesResponseBody { Scopes = [] });
        FrameHandle frame = _session.FrameOf(arguments.FrameId);
        _session.Focus(frame.CpuIndex);
        var registers = new RegisterScope(_session, frame.CpuIndex);
        var guestTables = new GuestTableScope(_session, frame.CpuIndex);
        var shadowTables = new ShadowTableScope(_session, frame.CpuIndex);
        var variables = new VariableScope(_session, frame);
        return Answer.Of(new ScopesResponseBody
        {
            Scopes =
            [
                .. variables.Exists ? (Scope[])[Scope("Locals", variables.Locals, "locals"), Scope("Globals", variables.Globals)] : [],
                Scope("Registers", registers.Source, "registers"),
                Scope("Guest page tables", guestTables.Source),
                Scope("Shadow page tables", shadowTables.Source),
                Scope("Locks", VariableSource.Of(new LockScope(_session).Read)),
                Scope("Devices", VariableSource.Of(new DeviceScope(_session).Read)),
                Scope("Exits", VariableSource.Of(new ExitScope(_session).Read)),
                Scope("Recording", VariableSource.Of(new RecordingScope(_session).Read)),
            ],
        });
    }

    // Only variables and registers open by themselves: what is expensive waits until it is asked for.
    private Scope Scope(string name, VariableSource source, string? hint = null) => new()
    {
        Name = name, VariablesReference = _session.Variables.Add(source), Expensive = hint is null, PresentationHint = hint,
    };

    private Answer Variables(VariablesArguments arguments)
    {
        if (_session.Variables.HasHeld(arguments.VariablesReference)) return Answer.Of(new VariablesResponseBody { Variables = [] });
        VariableSource source = Find(arguments.VariablesReference);
        if (arguments.Filter == "named" && source.IsPaged) return Answer.Of(new VariablesResponseBody { Variables = [] });
        if (arguments.Filter == "indexed" && !source.IsPaged) return Answer.Of(new VariablesResponseBody { Variables = [] });
        int start = (int)Math.Clamp(arguments.Start ?? 0, 0, int.MaxValue);
        int count = arguments.Count is > 0 and long wanted ? (int)Math.Min(wanted, MaximumVariables) : MaximumVariables;
        return Answer.Of(new VariablesResponseBody { Variables = [.. source.Read(start, count)] });
    }

    private VariableSource Find(long reference) => _session.Variables.Find(reference)
        ?? throw new RequestException($"there are no variables {reference}: they hold until the machine moves");

    private Answer SetVariable(SetVariableArguments arguments)
    {
        VariableSource source = Find(arguments.VariablesReference);
        if (source.EvaluateNameOf?.Invoke(arguments.Name) is { } expression)
        {
            (string text, Action then) = Assignment.Make(_session, expression, arguments.Value, _session.ViewOf(source.CpuIndex), source.Level);
            return Answer.Of(new SetVariableResponseBody { Value = text }, then);
        }
        if (source.Set is null) throw new RequestException($"'{arguments.Name}' cannot be changed: only general registers, RIP, RFLAGS and memory can");
        ulong value = EvaluationRequests.NumberOf(arguments.Value, _session.ViewOf(source.CpuIndex), _session.Symbols);
        if (!source.Set(arguments.Name, value)) throw new RequestException($"'{arguments.Name}' cannot be changed: only general registers, RIP, RFLAGS and memory can");
        ulong after = RegisterFile.Get(ref _session.Machine.Vcpus[source.CpuIndex].State, arguments.Name) ?? value;
        return Answer.Of(new SetVariableResponseBody { Value = _session.Number(after, 64) },
            () => _session.Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["all"] }));
    }
}
