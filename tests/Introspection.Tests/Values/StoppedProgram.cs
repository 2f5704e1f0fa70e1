using System;
using System.Collections.Generic;
using Introspection.Programs;
using Introspection.Values;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Elf;
using Symbols.Expressions;
using Symbols.Tests.Variables;

namespace Introspection.Tests.Values;

/// <summary>A compiled program that gdb stopped in a frame, for showing its values.</summary>
internal sealed class StoppedProgram : ISymbolSource, IDisposable
{
    private readonly ElfImage _image;
    private readonly StopEnvironment _environment;
    private readonly ValueRenderer _renderer;

    internal StoppedProgram(string program, string function, Predicate<GdbStop>? isIt = null)
    {
        _image = ElfImage.Open(program);
        List<GdbStop> stops = GdbStops.Run(program);
        GdbStop stop = stops.Find(isIt ?? (one => one.Frames.Exists(frame => frame.Name == function)))!;
        _environment = StopEnvironment.Of(stop, function, DwarfInfo.Open(_image), new FrameUnwinder(_image));
        _renderer = new ValueRenderer(_environment, this);
    }

    internal ValueNode Show(string expression)
    {
        CompiledExpression compiled = CompiledExpression.Parse(expression, _environment);
        return _renderer.Render(expression, compiled.Evaluate(_environment), expression, compiled.Format);
    }

    public string? NameOf(ulong linear, out ulong offset)
    {
        offset = 0;
        return null;
    }

    public SourcePosition? LineOf(ulong linear) => null;
    public ulong? AddressOf(string name) => null;
    public ulong? SizeOf(string name) => null;
    public void Dispose() => _image.Dispose();
}
