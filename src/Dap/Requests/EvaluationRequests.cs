using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Expressions;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Sessions.Repl;
using Introspection.Programs;

namespace Dap.Requests;

/// <summary>Expressions, from the console, watches and hovers; and the console's commands.</summary>
internal sealed class EvaluationRequests
{
    private readonly Session _session;
    private readonly ConsoleCommands _commands;

    public EvaluationRequests(Session session, RequestTable requests)
    {
        _session = session;
        _commands = new ConsoleCommands(session);
        requests.Add<EvaluateArguments>(Commands.Evaluate, Evaluate);
        requests.Add<SetExpressionArguments>(Commands.SetExpression, SetExpression);
        requests.Add<TtvmRadixArguments>("ttvm/radix", SetRadix);
        requests.Add<CompletionsArguments>(Commands.Completions, Complete);
    }

    /// <exception cref="RequestException">It is not an expression.</exception>
    public static ulong NumberOf(string text, in GuestView view, ISymbolSource symbols)
    {
        try
        {
            return Expression.Evaluate(text, view, symbols).Number;
        }
        catch (ExpressionException e)
        {
            throw new RequestException(e.Message);
        }
    }

    private Answer Evaluate(EvaluateArguments arguments)
    {
        GuestView view = ViewOf(arguments.FrameId);
        if (arguments.Context == "repl" && _commands.Run(arguments.Expression, view) is { } result)
            return Answer.Of(new EvaluateResponseBody { Result = result.Text, VariablesReference = 0 }, result.Then);
        return Answer.Of(Show(ValueOf(arguments.Expression, view)));
    }

    private Answer SetRadix(TtvmRadixArguments arguments)
    {
        if (arguments.Radix is not (10 or 16)) throw new RequestException($"numbers are shown with the radix 10 or 16, not {arguments.Radix}");
        _session.ShowsDecimal = arguments.Radix == 10;
        return Answer.After(() => _session.Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["variables"] }));
    }

    private Answer SetExpression(SetExpressionArguments arguments)
    {
        GuestView view = ViewOf(arguments.FrameId);
        ulong number = NumberOf(arguments.Value, view, _session.Symbols);
        string register = arguments.Expression.Trim().TrimStart('$').ToLowerInvariant();
        if (RegisterFile.CanSet(register))
        {
            int cpu = view.Vcpu.Index;
            _session.Divert();
            RegisterFile.TrySet(ref _session.Machine.Vcpus[cpu].State, register, number);
            return Changed(register, _session.ViewOf(cpu), () => _session.Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["all"] }));
        }
        ExpressionValue target = ValueOf(arguments.Expression, view);
        if (target.Place is not { } place)
            throw new RequestException($"'{arguments.Expression}' cannot be changed: only general registers, RIP, RFLAGS and memory such as qword[rsp] can");
        _session.Focus(view.Vcpu.Index);
        int count = MemoryWriter.Write(_session, place, BitConverter.GetBytes(number).AsSpan(0, target.SizeBytes));
        return Changed(arguments.Expression, _session.View, () => MemoryWriter.Tell(_session, place, count));
    }

    private Answer Changed(string expression, in GuestView view, Action then)
    {
        ExpressionValue value = ValueOf(expression, view);
        return Answer.Of(new SetExpressionResponseBody { Value = _session.Number(value.Number, value.SizeBytes * 8) }, then);
    }

    private Answer Complete(CompletionsArguments arguments)
    {
        int length = (int)Math.Clamp(arguments.Column - 1, 0, arguments.Text.Length);
        string typed = arguments.Text[..length];
        int start = typed.Length;
        while (start > 0 && (char.IsAsciiLetterOrDigit(typed[start - 1]) || typed[start - 1] is '_' or '/')) start--;
        string word = typed[start..];
        var targets = new List<CompletionItem>();
        if (start == 0)
        {
            foreach (ConsoleCommand command in _commands.All)
                if (command.Name.StartsWith(word, StringComparison.Ordinal)) targets.Add(Item(command.Name, "function", command.Help, start, word));
        }
        foreach (string register in RegisterFile.Names)
            if (register.StartsWith(word, StringComparison.OrdinalIgnoreCase)) targets.Add(Item(register, "variable", null, start, word));
        return Answer.Of(new CompletionsResponseBody { Targets = [.. targets] });
    }

    private static CompletionItem Item(string label, string type, string? detail, int start, string word) =>
        new() { Label = label, Type = type, Detail = detail, Start = start, Length = word.Length };

    private GuestView ViewOf(long? frameId) => frameId is { } frame ? _session.ViewOf(_session.FrameOf(frame).CpuIndex) : _session.View;

    private ExpressionValue ValueOf(string text, in GuestView view)
    {
        try
        {
            return Expression.Evaluate(text, view, _session.Symbols);
        }
        catch (ExpressionException e)
        {
            throw new RequestException(e.Message);
        }
    }

    private EvaluateResponseBody Show(in ExpressionValue value)
    {
        string hexadecimal = Hexadecimal.Padded(value.Number, value.SizeBytes * 8);
        return new EvaluateResponseBody
        {
            Result = _session.ShowsDecimal ? $"{value.Number} ({hexadecimal})" : $"{hexadecimal} ({value.Number})", Type = $"{value.SizeBytes * 8}-bit", VariablesReference = 0,
            MemoryReference = value.Place?.ToString() ?? Hexadecimal.Of(value.Number),
        };
    }
}
