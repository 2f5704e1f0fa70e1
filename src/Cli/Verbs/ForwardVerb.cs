using Cli.Hosting;
using Cli.Parsing;

namespace Cli.Verbs;

/// <summary><c>ttvm forward FILE --at POSITION --steps N</c></summary>
internal static class ForwardVerb
{
    public static VerbCommand Create(CommandContext context) => StepCommand.Create(context, isBack: false,
        "Steps forward from a position: over instructions, and over what happens between them (an interrupt, a vCPU's turn ending, an expired timer). "
        + "Lists the way when it is short.", """
        Examples:
          ttvm forward boot.ttvm --at 123456 --steps 10
          ttvm forward boot.ttvm --at start --steps 1000000
        """);
}
