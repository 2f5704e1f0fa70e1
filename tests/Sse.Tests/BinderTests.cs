using System.Linq;
using Iced.Intel;
using Vmm.Decoding;
using Vmm.Interpretation.Sse;
using Xunit;

namespace Sse.Tests;

public sealed class BinderTests
{
    [Fact]
    public void EveryInstructionIsBound()
    {
        Code[] unbound = [.. InstructionForms.All().Where(code => !IsBound(code))];
        Assert.Empty(unbound);
    }

    [Fact]
    public void NothingElseIsBound()
    {
        Code[] covered = [.. InstructionForms.All()];
        // PREFETCHWT1 is a hint like the others; its CPUID bit is not advertised, but its encoding is a no-op everywhere.
        Code[] extra = [.. System.Enum.GetValues<Code>()
            .Where(code => IsBound(code) && !covered.Contains(code) && code != Code.Prefetchwt1_m8)];
        Assert.Empty(extra);
    }

    private static bool IsBound(Code code)
    {
        Instruction instruction = default;
        instruction.Code = code;
        DecodedInstruction decoded = default;
        return SseBinder.TryBind(in instruction, ref decoded);
    }
}
