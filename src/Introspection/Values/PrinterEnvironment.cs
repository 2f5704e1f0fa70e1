using System;
using System.Collections.Generic;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>The environment of a printer's expressions: the members of the value by their names, <c>self</c> and <c>node</c>, and the program behind them. It reads only.</summary>
internal sealed class PrinterEnvironment(IExpressionEnvironment program, TypedValue self) : IExpressionEnvironment
{
    /// <summary>Where a list or tree has come to.</summary>
    public TypedValue? Node { get; set; }

    public ITypeCatalog? Types => program.Types;
    public int AddressSizeBytes => program.AddressSizeBytes;

    public TypedValue? Variable(string name) => name switch
    {
        "self" => self,
        "node" when Node is not null => Node,
        _ => self.Member(name, program) ?? program.Variable(name),
    };

    public TypedValue? Variable(string scope, string name) => program.Variable(scope, name);

    // Printers are written for types, whatever the frame's source defines.
    public MacroDefinition? Macro(string name, bool isAnywhere) => isAnywhere ? program.Macro(name, isAnywhere) : null;

    public IEnumerable<string> Meanings(string name) => program.Meanings(name);
    public RegisterValue? Register(string name) => program.Register(name);
    public ulong? AddressOf(string symbol) => program.AddressOf(symbol);
    public int Read(ulong address, bool isPhysical, Span<byte> destination) => program.Read(address, isPhysical, destination);

    /// <exception cref="ExpressionException">It has no value.</exception>
    public TypedValue Evaluate(string expression) => CompiledExpression.Evaluate(expression, this);
}
