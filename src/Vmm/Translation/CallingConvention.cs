using System;
using System.Collections.Generic;

namespace Vmm.Translation;

/// <summary>How C# calls generated code on this host, and is called by it.</summary>
/// <param name="FirstArgument">Register of the first argument.</param>
/// <param name="SecondArgument">Register of the second one.</param>
/// <param name="Kept">General registers that a called function keeps, besides RSP.</param>
/// <param name="FirstKeptVector">XMM registers from here on are kept, too; 16: none.</param>
/// <param name="ShadowSizeBytes">Room on the stack that a caller leaves to the function it calls, above the return address.</param>
internal sealed record CallingConvention(int FirstArgument, int SecondArgument, IReadOnlyList<int> Kept, int FirstKeptVector, int ShadowSizeBytes)
{
    /// <summary>System V Application Binary Interface, AMD64 supplement, 3.2: Linux.</summary>
    public static CallingConvention SystemV { get; } = new(HostRegister.Rdi, HostRegister.Rsi,
        [HostRegister.Rbx, HostRegister.Rbp, HostRegister.R12, HostRegister.R13, HostRegister.R14, HostRegister.R15], 16, 0);

    /// <summary>The x64 calling convention of Windows.</summary>
    public static CallingConvention Windows { get; } = new(HostRegister.Rcx, HostRegister.Rdx,
        [HostRegister.Rbx, HostRegister.Rbp, HostRegister.Rsi, HostRegister.Rdi, HostRegister.R12, HostRegister.R13, HostRegister.R14, HostRegister.R15], 6, 32);

    public static CallingConvention OfHost => OperatingSystem.IsWindows() ? Windows : SystemV;

    /// <summary>
    /// What a function that has pushed the kept registers subtracts from RSP, so that it is aligned for calls (the return address and an even number of pushes leave it 8 off).
    /// </summary>
    public int StackSizeBytes => ShadowSizeBytes + 16 * (16 - FirstKeptVector) + 8;
}
