using Introspection.Linux;
using Symbols.Btf;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>How a Linux kernel's functions are declared, by its BTF.</summary>
public sealed class KernelPrototypes(LinuxKernel kernel) : IPrototypeSource
{
    public FunctionType? PrototypeOf(string name, ulong address) => (kernel.Types as BtfTypes)?.FindFunction(name);
}
