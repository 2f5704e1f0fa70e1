using System;
using System.Collections.Generic;
using Introspection.Programs;
using Introspection.State;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>The variables of a frame, or all global ones.</summary>
public interface IVariableSource
{
    /// <summary>Types and constants by name; null: none are known.</summary>
    ITypeCatalog? Types { get; }

    /// <summary>See <see cref="IExpressionEnvironment.Variable(string)"/>.</summary>
    TypedValue? Variable(string name);

    /// <summary>See <see cref="IExpressionEnvironment.Variable(string, string)"/>.</summary>
    TypedValue? Variable(string scope, string name);

    /// <summary>See <see cref="IExpressionEnvironment.Macro"/>.</summary>
    MacroDefinition? Macro(string name, bool isAnywhere);

    /// <summary>See <see cref="IExpressionEnvironment.Meanings"/>.</summary>
    IEnumerable<string> Meanings(string name);
}

/// <summary>What expressions mean on a vCPU: its registers, memory as it sees it, symbols, and variables where there is a source of them.</summary>
/// <param name="view">The vCPU.</param>
/// <param name="symbols">Names of addresses.</param>
/// <param name="variables">The frame's; null: only symbols without types are known.</param>
public sealed class GuestEnvironment(GuestView view, ISymbolSource symbols, IVariableSource? variables = null) : IExpressionEnvironment
{
    private GuestView _view = view;
    private bool _isDiverted;

    /// <summary>Called once, before anything is changed; gives where changes go. Null: nothing can be changed.</summary>
    public Func<GuestView>? Divert { get; init; }

    /// <summary>Runs functions; null: they are not called.</summary>
    public Func<TypedValue, IReadOnlyList<TypedValue>, TypedValue>? Caller { get; init; }

    public string WhyNoCalls { get; init; } = "nothing is called here";

    public bool CanCall => Caller is not null;

    /// <summary>A register of the frame by its name in lower case, where that is not the vCPU's; null: all are.</summary>
    public Func<string, ulong?>? FrameRegister { get; init; }

    public ITypeCatalog? Types => variables?.Types;

    public int AddressSizeBytes => Types?.AddressSizeBytes ?? (_view.CodeSize == 64 ? 8 : 4);

    public TypedValue? Variable(string name) => variables?.Variable(name);

    public TypedValue? Variable(string scope, string name) => variables?.Variable(scope, name);

    public MacroDefinition? Macro(string name, bool isAnywhere) => variables?.Macro(name, isAnywhere);

    public IEnumerable<string> Meanings(string name) => variables?.Meanings(name) ?? [name];

    public RegisterValue? Register(string name)
    {
        if (FrameRegister?.Invoke(name) is { } saved) return new RegisterValue(saved, RegisterFile.SizeOf(name));
        return RegisterFile.Get(ref _view.Vcpu.State, name) is { } value ? new RegisterValue(value, RegisterFile.SizeOf(name)) : null;
    }

    public TypedValue? WideRegister(string name) => WideRegisters.Get(ref _view.Vcpu.State, name, isKnown: FrameRegister is null);

    public ulong? AddressOf(string symbol) => symbols.AddressOf(symbol);

    public int Read(ulong address, bool isPhysical, Span<byte> destination) => _view.Read(new MemoryPlace(address, isPhysical), destination);

    public TypedValue Call(TypedValue function, IReadOnlyList<TypedValue> arguments) => Caller!(function, arguments);

    public bool CanWrite => Divert is not null;

    public string? Write(ulong address, bool isPhysical, ReadOnlySpan<byte> source)
    {
        var place = new MemoryPlace(address, isPhysical);
        for (ulong i = 0; i < (ulong)source.Length; i++)
            if (_view.MemoryAt(place, i) is null) return $"no memory can be written at {new MemoryPlace(address + i, isPhysical)}";
        return TryDivert() && _view.Write(place, source) == source.Length ? null : "memory cannot be changed here";
    }

    public string? WriteRegister(string name, ulong value)
    {
        if (FrameRegister is not null) return $"'{name}' cannot be changed in a frame that has called another";
        if (!RegisterFile.CanSet(name)) return $"'{name}' cannot be changed: only general registers, RIP, RFLAGS and memory can";
        return TryDivert() && RegisterFile.TrySet(ref _view.Vcpu.State, name, value) ? null : $"'{name}' cannot be changed here";
    }

    private bool TryDivert()
    {
        if (Divert is null) return false;
        if (!_isDiverted) _view = Divert();
        return _isDiverted = true;
    }
}
