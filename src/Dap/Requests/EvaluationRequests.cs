using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Sessions.Repl;
using Dap.Views;
using Introspection.Programs;
using Introspection.Unwinding;
using Introspection.Values;
using Symbols.Expressions;

namespace Dap.Requests;

/// <summary>Expressions, from the console, watches and hovers; and the console's commands.</summary>
internal sealed class EvaluationRequests
{
    private const int MaximumCompletions = 50;

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
    public static ulong NumberOf(string text, in GuestView view, SymbolSet symbols)
    {
        try
        {
            var environment = new GuestEnvironment(view, symbols, new FrameVariables(view, symbols));
            return CompiledExpression.Parse(text, environment).Number(environment);
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
        string text = arguments.Expression;
        // As in gdb, `call` runs what an expression alone would not.
        bool isCall = arguments.Context == "repl" && text.StartsWith("call ", StringComparison.Ordinal);
        return Answer.Of(Show(isCall ? text[5..] : text, view, LevelOf(arguments.FrameId), isCall));
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
        (string text, Action then) = Assignment.Make(_session, arguments.Expression, arguments.Value, view, LevelOf(arguments.FrameId));
        return Answer.Of(new SetExpressionResponseBody { Value = text }, then);
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
        foreach (string variable in VariableNames(word, arguments.FrameId)) targets.Add(Item(variable, "variable", null, start, word));
        foreach (string register in RegisterFile.Names)
            if (register.StartsWith(word, StringComparison.OrdinalIgnoreCase)) targets.Add(Item(register, "variable", null, start, word));
        return Answer.Of(new CompletionsResponseBody { Targets = [.. targets] });
    }

    // The frame's own variables; and those of the whole program once there is something to go by.
    private IEnumerable<string> VariableNames(string word, long? frameId)
    {
        if (word.Length == 0 || !_session.IsLaunched) return [];
        GuestView view = ViewOf(frameId);
        SymbolSet symbols = _session.SymbolsOf(view.Vcpu.Index);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (FrameVariable local in new FrameVariables(view, symbols, LevelOf(frameId)).Locals)
            if (local.Name.StartsWith(word, StringComparison.Ordinal)) names.Add(local.Name);
        if (word.Length > 2) names.UnionWith(symbols.NamesFrom(word, MaximumCompletions));
        return names;
    }

    private static CompletionItem Item(string label, string type, string? detail, int start, string word) =>
        new() { Label = label, Type = type, Detail = detail, Start = start, Length = word.Length };

    private GuestView ViewOf(long? frameId) => frameId is { } frame ? _session.ViewOf(_session.FrameOf(frame).CpuIndex) : _session.View;

    private StackLevel? LevelOf(long? frameId) => frameId is { } frame ? _session.FrameOf(frame).Level : null;

    private EvaluateResponseBody Show(string text, in GuestView view, StackLevel? level, bool mayCall)
    {
        GuestEnvironment environment = mayCall ? _session.EnvironmentOf(view, level, mayCall: true) : _session.EnvironmentOf(view, level);
        try
        {
            CompiledExpression expression = CompiledExpression.Parse(text, environment);
            TypedValue value = expression.Evaluate(environment);
            // A call has begun a diversion: what its result points to is there.
            GuestView now = _session.ViewOf(view.Vcpu.Index);
            ValueNode node = _session.Renderer(mayCall ? _session.EnvironmentOf(now) : environment, now).Render(text, value, text, expression.Format);
            return new EvaluateResponseBody
            {
                Result = node.Text, Type = node.TypeText, VariablesReference = ValueViews.ReferenceOf(_session, node, view.Vcpu.Index, level),
                IndexedVariables = node.IndexedCount > 0 ? node.IndexedCount : null, NamedVariables = node.NamedCount > 0 ? node.NamedCount : null, MemoryReference = node.Place?.ToString(),
            };
        }
        catch (ExpressionException e)
        {
            throw new RequestException(e.Message);
        }
    }
}
