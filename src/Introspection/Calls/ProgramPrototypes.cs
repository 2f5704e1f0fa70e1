using Introspection.Programs;
using Symbols.Btf;
using Symbols.Dwarf.Functions;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>How functions are declared, by the debug information of their programs, else by a Linux kernel's BTF.</summary>
public sealed class ProgramPrototypes(SymbolSet symbols) : IPrototypeSource
{
    public FunctionType? PrototypeOf(string name, ulong address)
    {
        foreach (LoadedFile file in symbols.Files)
            if (file.Covers(address) && file.Dwarf.FindFunction(address - file.Bias) is { } function && function.EntryPc + file.Bias == address) return function.Type;
        return (symbols.Kernel?.Types as BtfTypes)?.FindFunction(name);
    }
}
