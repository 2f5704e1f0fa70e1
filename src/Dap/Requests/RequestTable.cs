using System;
using System.Collections.Generic;
using System.Text.Json.Serialization.Metadata;
using Dap.Protocol;
using Dap.Sessions;

namespace Dap.Requests;

/// <summary>What a request is answered with, and what is done once the answer is out.</summary>
internal abstract record Answer(Action? Then)
{
    public static Answer Empty { get; } = new Answer<TtvmNoArguments>(null, null);

    public static Answer Of<T>(T body, Action? then = null) where T : class => new Answer<T>(body, then);

    public static Answer After(Action then) => new Answer<TtvmNoArguments>(null, then);

    public abstract void Write(MessageWriter writer, Request request);
}

/// <summary>An answer with a body of one type.</summary>
internal sealed record Answer<T>(T? Body, Action? Then) : Answer(Then) where T : class
{
    public override void Write(MessageWriter writer, Request request)
    {
        JsonTypeInfo<T>? type = Body is null ? null : DapJson.Of<T>();
        writer.WriteResponse(request, Body, type);
    }
}

/// <summary>Which handler does which request.</summary>
internal sealed class RequestTable
{
    private readonly Dictionary<string, Func<Request, Answer>> _handlers = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Commands => _handlers.Keys;

    public void Add<T>(string command, Func<T, Answer> handler) where T : class => _handlers.Add(command, request => handler(request.Read<T>()));

    public void Add(string command, Func<Answer> handler) => _handlers.Add(command, _ => handler());

    /// <exception cref="RequestException">There is no such request, or it cannot be done.</exception>
    public Answer Handle(Request request) => _handlers.TryGetValue(request.Command, out Func<Request, Answer>? handler)
        ? handler(request) : throw new RequestException($"'{request.Command}' is not supported");
}
