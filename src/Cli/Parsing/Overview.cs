namespace Cli.Parsing;

/// <summary>What `ttvm` without a verb prints.</summary>
internal static class Overview
{
    public const string Text = """
        ttvm records a whole machine, replays it exactly, and goes back to any earlier moment.

        Begin with:   ttvm demo

        Make a recording
          record        run a kernel or disk and record it
          explore       run a kernel under many schedules, and record those that fail
          recover       make a recording of what a killed `record` left behind
          embed         put symbols and sources into it, for debugging elsewhere
          trim          cut a stretch out, as a smaller recording
          pack          make it small, to share it; also of a directory that `unpack` wrote
          unpack        its parts as files of a directory, with a listing to read
          sign          sign it, or check that it is as it was signed
          redact        take memory, texts and what was typed out of it
          encrypt       protect it by a passphrase; every verb opens it with that
          decrypt       take that away
          sandbox       what a verb that reads it may touch, and what happens if it tries more
          demo          record a kernel with a bug, and find its cause going backwards

        Check it
          verify        replay all of it and compare every input, output and digest
          rerun         run a new build of the guest in the recorded world, and check what is expected of it
          diff          where two recordings part: console, inputs, turns, calls, the first instruction
          merge         put together what the parts of a search on several machines have found
          replay        run it again up to a position, showing what the guest printed
          info          what it is, what it was made from, how it ended
          bisect        find where a recording that does not verify goes wrong
          lockstep      run it in two ways side by side and find the first difference

        Look at a moment           (FILE --at POSITION)
          regs          registers
          stack         the calls of a vCPU
          print         an expression in C's syntax, or the variables of a frame
          tasks         a Linux guest's threads, and where they stand
          locks         who holds which lock and who waits, their past, and what was wrong with them
          rcu           readers, grace periods and callbacks of read-copy-update
          channels      messages under way between vCPUs
          mem           memory
          disasm        instructions
          block         guest code beside the host code it is translated to
          pagetables    the guest's page tables, or each step of one translation
          shadow        the shadow page tables that the machine really translates through
          exits         how often the guest needed the VMM, and why
          console       what the guest had printed

        Move
          back          steps back
          forward       steps forward
          find          the last or next write, breakpoint, exception, port access, text, ...
          origin        where a value comes from, step by step back to an input or constant

        Debug in both directions
          dap           serve VS Code and other clients of the Debug Adapter Protocol
          gdb           serve gdb

        Measure
          bench         speed and size, with QEMU beside it where it is installed

        A position is an instruction count (123456), count:event (123456:2), 50%, start or end.
        `ttvm VERB --help` explains a verb, with examples.
        Exit codes: 0 good, 1 the guest or a check failed, 2 wrong usage, 3 bad file.

        """;
}
