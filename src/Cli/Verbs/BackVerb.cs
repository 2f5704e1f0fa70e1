using Cli.Hosting;
using Cli.Parsing;

namespace Cli.Verbs;

/// <summary><c>ttvm back FILE --at POSITION --steps N</c></summary>
internal static class BackVerb
{
    public static VerbCommand Create(CommandContext context) => StepCommand.Create(context, isBack: true,
        "Steps back from a position: over instructions, and over what happens between them (an interrupt, a vCPU's turn ending, an expired timer). "
        + "Lists the way when it is short.", """
        Examples:
          ttvm back boot.ttvm --at 123456 --steps 10
          ttvm back boot.ttvm --at end
        """);
}
