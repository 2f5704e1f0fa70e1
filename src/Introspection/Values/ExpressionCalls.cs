using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.Calls;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Calls of functions in expressions: arguments are converted as the function declares them, as far as they are integers and pointers.</summary>
public static class ExpressionCalls
{
    /// <summary>Runs a function.</summary>
    /// <param name="caller">Runs it, in a diversion.</param>
    /// <param name="function">Of a function's type, a pointer to one, or an address without a type.</param>
    /// <param name="arguments">As written.</param>
    /// <param name="environment">What converts them.</param>
    /// <param name="cancellation">Gives it up.</param>
    /// <exception cref="ExpressionException">It cannot be called like that, or did not come back.</exception>
    public static TypedValue Run(FunctionCaller caller, TypedValue function, IReadOnlyList<TypedValue> arguments, IExpressionEnvironment environment, CancellationToken cancellation)
    {
        FunctionType? type = TypeOf(function);
        if (type is not null && (arguments.Count < type.Parameters.Count || (arguments.Count > type.Parameters.Count && !type.IsVariadic)))
            throw Refused($"the function takes {type.Parameters.Count} arguments, not {arguments.Count}");
        var numbers = new List<ulong>();
        for (int i = 0; i < arguments.Count; i++)
            numbers.Add(NumberOf(arguments[i], type is not null && i < type.Parameters.Count ? type.Parameters[i].Type : null, environment));
        DebugType? result = type?.Result.Stripped;
        if (result is not (null or VoidType or PointerType or EnumerationType or BaseType { IsFloat: false, SizeBytes: <= 8 }))
            throw Refused($"its result is a {result}, and only integers and pointers can be given back");
        CallOutcome outcome = caller.Call(AddressOf(function, environment), numbers, cancellation);
        if (outcome.Problem is { } problem) throw new ExpressionException($"the call failed: {problem}", -1, ExpressionProblem.NotAvailable);
        return type?.Result switch
        {
            null => TypedValue.Untyped(outcome.Result),
            _ when result is VoidType => TypedValue.Missing(type.Result, "nothing: the function has no result"),
            var known => TypedValue.Of(known, BitConverter.GetBytes(outcome.Result).AsMemory(0, (int)(result!.SizeBytes ?? 8))),
        };
    }

    private static FunctionType? TypeOf(TypedValue function) => function.Type?.Stripped switch
    {
        FunctionType type => type,
        PointerType pointer => pointer.Target.Stripped as FunctionType ?? throw Refused("it is no function"),
        null => null,
        _ => throw Refused("it is no function"),
    };

    private static ulong AddressOf(TypedValue function, IExpressionEnvironment environment)
    {
        if (function.Type?.Stripped is FunctionType) return function.Address ?? throw Refused("the function has no address");
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        int size = function.Type?.SizeBytes is { } known ? (int)Math.Min(known, 8) : 8;
        return function.TryRead(environment, bytes[..size]) ? BitConverter.ToUInt64(bytes) : throw Refused("its address cannot be read");
    }

    private static ulong NumberOf(TypedValue argument, DebugType? parameter, IExpressionEnvironment environment)
    {
        DebugType? type = (parameter ?? argument.Type)?.Stripped;
        if (type is RecordType or BaseType { IsFloat: true } or BaseType { SizeBytes: > 8 })
            throw Refused($"an argument of type {type} cannot be given: only integers and pointers can");
        ReadOnlySpan<byte> converted = parameter is not null ? CompiledExpression.ConvertedTo(argument, parameter, environment)
            : argument.KnownBytes is { } known ? known.Span : throw Refused("an argument cannot be read");
        Span<byte> bytes = stackalloc byte[8];
        // Narrow integers are extended by their sign, as callees that trust the caller's extension expect.
        bool isNegative = converted.Length is > 0 and < 8 && type is BaseType { IsSigned: true } && converted[^1] >= 0x80;
        bytes.Fill(isNegative ? (byte)0xFF : (byte)0);
        converted[..Math.Min(8, converted.Length)].CopyTo(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private static ExpressionException Refused(string message) => new(message, -1, ExpressionProblem.Refused);
}
