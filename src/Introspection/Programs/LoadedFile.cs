using Symbols;
using Symbols.Dwarf;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;

namespace Introspection.Programs;

/// <summary>A symbol file at the place where the guest has its code. Several processes may have one file at different places.</summary>
/// <param name="File">Its addresses are the linker's; those of this are the guest's, linear.</param>
/// <param name="Bias">Guest's address less the linker's: 0 unless it was loaded elsewhere, as by KASLR.</param>
public sealed record LoadedFile(SymbolFile File, ulong Bias = 0)
{
    public DwarfInfo Dwarf => File.Dwarf;

    public bool Is64 => File.Is64;

    /// <summary>It has something at an address.</summary>
    public bool Covers(ulong linear) => File.Image.IsMapped(linear - Bias);

    /// <summary>What it says about an instruction.</summary>
    public CodePlace PlaceOf(ulong linear)
    {
        ulong address = linear - Bias;
        DebugFunction? function = Dwarf.FindFunction(address);
        SourceLocation? location = Dwarf.FindLine(address);
        if (location is { } found) location = found with { Range = new AddressRange(found.Range.Start + Bias, found.Range.End + Bias) };
        return function is null && location is null ? CodePlace.Unknown : new CodePlace(location, function, function?.CallsAt(address) ?? [], this);
    }

    /// <summary>The first address behind a function's prologue.</summary>
    public ulong AfterPrologue(DebugFunction function) => File.AfterPrologue(function) + Bias;

    /// <summary>The caller of a frame, by call frame information.</summary>
    public UnwoundFrame Unwind(ulong linear, IUnwindContext context) => File.Unwinder.Unwind(linear - Bias, context);
}
