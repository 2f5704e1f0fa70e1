using System;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Nothing is known and nothing can be read.</summary>
internal sealed class NoProgram : IExpressionEnvironment
{
    public static NoProgram Instance { get; } = new();

    public ITypeCatalog? Types => null;
    public int AddressSizeBytes => 8;
    public TypedValue? Variable(string name) => null;
    public TypedValue? Variable(string scope, string name) => null;
    public RegisterValue? Register(string name) => null;
    public ulong? AddressOf(string symbol) => null;
    public int Read(ulong address, bool isPhysical, Span<byte> destination) => 0;
}
