using System;
using Dap.Protocol;
using Dap.Requests;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Symbols.Expressions;

namespace Dap.Sessions;

/// <summary>Changes a register, a variable or memory, in a diversion.</summary>
internal static class Assignment
{
    /// <summary>Gives the new value in a line, and what the client is to be told afterwards.</summary>
    /// <exception cref="RequestException">One of the two is no expression, or the target cannot be changed.</exception>
    public static (string Text, Action Then) Make(Session session, string target, string source, in GuestView view, StackLevel? level = null)
    {
        int cpu = view.Vcpu.Index;
        try
        {
            GuestEnvironment environment = session.WritingEnvironmentOf(view, level);
            // What it is set to comes first: a target is looked at only for a value that there is.
            TypedValue value = CompiledExpression.Evaluate(source, session.EnvironmentOf(view, level));
            TypedValue place = CompiledExpression.Evaluate(target, session.EnvironmentOf(view, level));
            if (!place.IsAssignable || (place.Register is { } register && !RegisterFile.CanSet(register)))
                throw new RequestException($"'{target}' cannot be changed: only variables, general registers, RIP, RFLAGS and memory such as qword[rsp] can");
            if (place.Address is not null) session.Focus(cpu);
            CompiledExpression.Assign(place, value, environment);
            GuestView after = session.ViewOf(cpu);
            // The frame is looked at anew: it is the diversion's now.
            StackLevel? same = level is null ? null : CallStack.Find(level, after, session.SymbolsOf(cpu));
            TypedValue changed = CompiledExpression.Evaluate(target, session.EnvironmentOf(after, same));
            return (TextOf(session, changed, after), () => Tell(session, place));
        }
        catch (ExpressionException e)
        {
            throw new RequestException(e.Message);
        }
    }

    private static string TextOf(Session session, TypedValue value, in GuestView view)
    {
        if (value is { IsUntyped: true, KnownBytes: { } bytes }) return session.Number(BitConverter.ToUInt64(bytes.Span), value.SizeBytes * 8);
        return session.Renderer(session.EnvironmentOf(view), view).Render("", value).Text;
    }

    private static void Tell(Session session, TypedValue place)
    {
        if (place.Address is { } address) MemoryWriter.Tell(session, new MemoryPlace(address, place.IsPhysical), Math.Max(1, place.SizeBytes));
        else session.Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["all"] });
    }
}
