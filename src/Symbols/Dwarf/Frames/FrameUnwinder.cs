using Symbols.Dwarf.Expressions;
using Symbols.Elf;

namespace Symbols.Dwarf.Frames;

/// <summary>
/// Finds a caller's registers by call frame information, on x86 (registers 0 to 7, EIP is 8) and x86-64 (0 to 15, RIP is 16).
/// <c>.debug_frame</c> comes first, <c>.eh_frame</c> second, as each may cover what the other does not.
/// </summary>
public sealed class FrameUnwinder
{
    private readonly ElfImage _image;
    private readonly ElfImage _debug;
    private readonly int _stackRegister;
    private readonly int _registerCount;
    private CallFrameInfo? _debugFrame;
    private CallFrameInfo? _ehFrame;

    public FrameUnwinder(ElfImage image) : this(image, image) { }

    /// <summary>Of a program whose <c>.debug_frame</c> may be in a file of its own.</summary>
    public FrameUnwinder(DebugFiles files) : this(files.Program, files.Debug) { }

    private FrameUnwinder(ElfImage image, ElfImage debug)
    {
        _image = image;
        _debug = debug;
        // System V ABI: psABI-i386 figure 2.14, psABI-x86-64 figure 3.36.
        _stackRegister = image.Header.Is64 ? 7 : 4;
        _registerCount = image.Header.Is64 ? 17 : 9;
    }

    public CallFrameInfo DebugFrame => _debugFrame ??= CallFrameInfo.OpenDebugFrame(_debug);

    public CallFrameInfo EhFrame => _ehFrame ??= CallFrameInfo.OpenEhFrame(_image);

    /// <summary>The rules at an address; null if neither section has any.</summary>
    public UnwindRow? FindRow(ulong address, out FrameDescription? description) =>
        DebugFrame.FindRow(address, out description) ?? EhFrame.FindRow(address, out description);

    /// <summary>Goes from a frame to its caller.</summary>
    /// <param name="pc">
    /// The frame's address; for a frame that made a call, the return address less one, as the call may be its function's last instruction.
    /// </param>
    /// <param name="context">The frame's registers, and memory.</param>
    public UnwoundFrame Unwind(ulong pc, IUnwindContext context)
    {
        var frame = new UnwoundFrame(_registerCount);
        UnwindRow? row = FindRow(pc, out FrameDescription? description);
        if (row is null || description is null)
        {
            frame.Problem = $"There is no call frame information for address 0x{pc:x}.";
            return frame;
        }
        frame.IsSignalFrame = description.Common.IsSignalFrame;
        int size = description.Common.AddressSizeBytes;
        if (!TryCfa(row.Cfa, context, size, out ulong cfa, out string? problem))
        {
            frame.Problem = problem;
            return frame;
        }
        frame.Cfa = cfa;
        for (int i = 0; i < _registerCount; i++)
        {
            RegisterRule rule = row[i];
            if (i == _stackRegister && rule.Kind == RegisterRuleKind.Unspecified) frame.Set(i, cfa);
            else if (TryApply(rule, i, cfa, context, size, out ulong value)) frame.Set(i, value);
        }
        SetReturnAddress(frame, row, description.Common.ReturnAddressRegister);
        return frame;
    }

    private static void SetReturnAddress(UnwoundFrame frame, UnwindRow row, int register)
    {
        if (row[register].Kind == RegisterRuleKind.Undefined)
        {
            frame.IsOutermost = true;
            frame.Problem = "This is the outermost frame.";
        }
        else if (row[register].Kind != RegisterRuleKind.Unspecified && frame.TryRegister(register, out ulong address))
        {
            frame.ReturnAddress = address;
        }
        else
        {
            frame.Problem = "The return address cannot be found: its rule is missing or its memory cannot be read.";
        }
    }

    private static bool TryCfa(in CfaRule rule, IUnwindContext context, int size, out ulong cfa, out string? problem)
    {
        if (!rule.Expression.IsEmpty) return DwarfExpression.TryEvaluate(rule.Expression.Span, context, size, null, out cfa, out problem);
        bool isKnown = context.TryReadRegister(rule.Register, out ulong value);
        cfa = value + (ulong)rule.Offset;
        if (size == 4) cfa = (uint)cfa;
        problem = isKnown ? null : $"The frame's address depends on register {rule.Register}, which is not known.";
        return isKnown;
    }

    private static bool TryApply(in RegisterRule rule, int register, ulong cfa, IUnwindContext context, int size, out ulong value)
    {
        value = 0;
        switch (rule.Kind)
        {
            case RegisterRuleKind.Unspecified or RegisterRuleKind.SameValue:
                return context.TryReadRegister(register, out value);
            case RegisterRuleKind.Offset:
                return context.TryReadMemory(cfa + (ulong)rule.Offset, size, out value);
            case RegisterRuleKind.ValueOffset:
                value = cfa + (ulong)rule.Offset;
                return true;
            case RegisterRuleKind.Register:
                return context.TryReadRegister((int)rule.Offset, out value);
            case RegisterRuleKind.Expression:
                return DwarfExpression.TryEvaluate(rule.Expression.Span, context, size, cfa, out ulong address, out _)
                    && context.TryReadMemory(address, size, out value);
            case RegisterRuleKind.ValueExpression:
                return DwarfExpression.TryEvaluate(rule.Expression.Span, context, size, cfa, out value, out _);
            default:
                return false;
        }
    }
}
