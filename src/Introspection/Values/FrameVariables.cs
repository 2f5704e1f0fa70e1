using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Symbols.Btf;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Dwarf.Variables;
using Symbols.Expressions;
using Symbols.Types;
using Symbols.Variables;

namespace Introspection.Values;

/// <summary>A parameter or local variable of a frame, with its value there.</summary>
/// <param name="Variable">What the debug information says.</param>
/// <param name="Name">As the source has it.</param>
/// <param name="Value">Its value; one that the compiler did not keep says so.</param>
public sealed record FrameVariable(DebugVariable Variable, string Name, TypedValue Value);

/// <summary>
/// What names of variables and functions mean in a frame: its parameters and locals, the innermost block first; then static variables of its unit; then global ones of
/// any program of the address space, among them a Linux kernel's by its BTF, and per-CPU variables as the vCPU's own.
/// </summary>
public sealed class FrameVariables : IVariableSource
{
    private readonly GuestView _view;
    private readonly SymbolSet _symbols;
    private readonly Lazy<StackLevel?> _level;
    private readonly Lazy<LinuxKernel?> _kernel;
    private IReadOnlyList<FrameVariable>? _locals;

    /// <param name="view">The vCPU.</param>
    /// <param name="symbols">Of its address space.</param>
    /// <param name="level">The frame; null: the vCPU's own, unwound when it is needed.</param>
    public FrameVariables(GuestView view, SymbolSet symbols, StackLevel? level = null)
    {
        _view = view;
        _symbols = symbols;
        _kernel = new Lazy<LinuxKernel?>(() => symbols.KernelAt(view));
        _level = level is null ? new Lazy<StackLevel?>(() => CallStack.Innermost(view, symbols)) : new Lazy<StackLevel?>(level);
    }

    public ITypeCatalog? Types => _symbols.Types;

    /// <summary>Parameters, then locals from the outermost block inwards, as far as the instruction is in their blocks; shadowed ones are left out.</summary>
    public IReadOnlyList<FrameVariable> Locals => _locals ??= ReadLocals();

    public TypedValue? Variable(string name)
    {
        foreach (FrameVariable local in Locals)
            if (local.Name == name) return local.Value;
        SourceFrame? source = _level.Value?.Source;
        foreach (string meaning in Meanings(name))
            if ((Global(meaning, source?.Function?.UnitName) ?? Function(meaning)) is { } found) return found;
        return null;
    }

    public IEnumerable<string> Meanings(string name) => _level.Value?.Source?.Meanings(name) ?? [name];

    public TypedValue? Variable(string scope, string name)
    {
        foreach (LoadedFile file in _symbols.Files)
        {
            foreach (DebugVariable variable in file.Dwarf.FindGlobals(name))
                if (variable.UnitName is { } unit && SourcePath.Matches(unit, SourcePath.Normalize(scope))) return At(variable, file);
            foreach (DebugFunction function in file.Dwarf.FunctionsByName(scope))
            {
                ulong pc = file.Dwarf.AfterPrologue(function);
                if (file.Dwarf.FramesAt(pc) is not { Count: > 0 } frames) continue;
                foreach (DebugVariable variable in file.Dwarf.VariablesOf(frames[^1], pc))
                    if (variable.Name == name) return At(variable, file);
            }
        }
        return null;
    }

    public MacroDefinition? Macro(string name, bool isAnywhere)
    {
        if (_level.Value is { Source: { } source, File: { } file } && file.Dwarf.FindMacro(name, source) is { } here) return here;
        return isAnywhere ? Types?.FindMacro(name) : null;
    }

    private List<FrameVariable> ReadLocals()
    {
        var locals = new List<FrameVariable>();
        if (_level.Value is not { Source: { } source, File: { } file, Call: var call } level) return locals;
        ILocationContext context = call.Registers is { } registers ? new FrameContext(call, registers, file) { Caller = CallerOf(level) }
            : new StaticContext(_view, file.Bias, call.Lookup - file.Bias);
        foreach (DebugVariable variable in file.Dwarf.VariablesOf(source, context.Pc))
        {
            if (variable.Name is not { } name || variable.IsShadowed) continue;
            Func<int, string?> registerName = level.IsInnermost ? RegisterName : static _ => null;
            locals.Add(new FrameVariable(variable, name, TypedValue.At(variable.TypeIn(context), variable.Locate(context), context, registerName)));
        }
        return locals;
    }

    private FrameContext? CallerOf(StackLevel level)
    {
        if (level.Caller is not { Registers: { } registers } caller) return null;
        foreach (LoadedFile file in _symbols.Files)
            if (file.Covers(caller.Lookup)) return new FrameContext(caller, registers, file);
        return null;
    }

    // Only general registers can be assigned to.
    private string? RegisterName(int register) => register < (_view.CodeSize == 64 ? 16 : 8) ? DwarfRegisters.NameOf(register, _view.CodeSize == 64) : null;

    private TypedValue? Global(string name, string? unitName)
    {
        foreach (LoadedFile file in _symbols.Files)
        {
            DebugVariable? best = null;
            foreach (DebugVariable variable in file.Dwarf.FindGlobals(name))
            {
                if (variable.IsDeclaration) best ??= variable;
                else if (best is null || best.IsDeclaration || (variable.UnitName == unitName && best.UnitName != unitName)) best = variable;
            }
            if (best is not null) return At(best, file);
        }
        return KernelVariable(name);
    }

    private TypedValue At(DebugVariable variable, LoadedFile file)
    {
        var context = new StaticContext(_view, file.Bias);
        ValueLocation location = variable.Locate(context);
        // A per-CPU variable's address in the file is its distance in each CPU's area.
        if (location.Address is { } address && _kernel.Value is { } kernel && kernel.IsPerCpu(address - file.Bias) && kernel.Tasks.CpuOf(_view.Vcpu) is { } cpu
            && kernel.Tasks.PerCpuOffset(cpu) is { } offset)
            location = ValueLocation.InMemory(address - file.Bias + offset);
        return TypedValue.At(variable.Type, location, context, static _ => null);
    }

    private TypedValue? KernelVariable(string name)
    {
        if (_kernel.Value is not { Types: BtfTypes types } kernel || types.FindVariable(name) is not { } type) return null;
        ulong? address = kernel.AddressesOf(name) is [ulong first, ..] ? first
            : kernel.Tasks.CpuOf(_view.Vcpu) is { } cpu ? kernel.Tasks.PerCpuAddress(name, cpu) : null;
        return address is { } at ? TypedValue.InMemory(type, at) : null;
    }

    private TypedValue? Function(string name)
    {
        foreach (LoadedFile file in _symbols.Files)
            if (file.Dwarf.FunctionsByName(name) is [{ } function, ..]) return TypedValue.InMemory(function.Type, function.EntryPc + file.Bias);
        return _kernel.Value is { Types: BtfTypes types } kernel && types.FindFunction(name) is { } prototype && kernel.AddressesOf(name) is [ulong address, ..]
            ? TypedValue.InMemory(prototype, address) : null;
    }
}
