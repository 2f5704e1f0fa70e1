using Vmm.Time;

namespace Dap.Tests.Oracles;

/// <summary>One transition of a vCPU.</summary>
/// <param name="At">Where the machine stands before.</param>
/// <param name="CpuIndex">The vCPU.</param>
/// <param name="Code">Linear address of its instruction.</param>
/// <param name="Stack">RSP.</param>
/// <param name="Frame">Whose code it is.</param>
/// <param name="IsDelivery">The instruction is not done: it is interrupted.</param>
internal sealed record Moment(Position At, int CpuIndex, ulong Code, ulong Stack, Activation Frame, bool IsDelivery);
