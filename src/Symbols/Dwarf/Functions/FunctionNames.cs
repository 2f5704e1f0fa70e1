using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Functions;

/// <summary>What the chain of abstract origins and specifications says about a function. The index of a file means something in its own unit only.</summary>
internal sealed record FunctionNames(
    string? Name, string? LinkageName, DebugUnit? DeclarationUnit, uint DeclarationFile, uint DeclarationLine,
    bool IsExternal);
