using System;
using System.Buffers.Binary;
using Vmm.Devices;
using Vmm.Inputs;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>Hands an input to the chip that it is for.</summary>
internal static class InputDelivery
{
    public static void Deliver(Chipset chipset, MachineControl control, in InputEvent input)
    {
        ReadOnlySpan<byte> data = input.Data.Span;
        switch (input.Kind)
        {
            case InputKind.Serial when input.Unit is 0 or 1: chipset.Serial[input.Unit].Receive(data); break;
            case InputKind.Keyboard: chipset.Keyboard.Receive(data); break;
            case InputKind.VirtioConsole: chipset.VirtioConsole.Receive(data); break;
            case InputKind.Balloon when data.Length >= 4: chipset.VirtioBalloon.SetTarget(BinaryPrimitives.ReadUInt32LittleEndian(data)); break;
            case InputKind.PowerButton: chipset.PowerManagement.PressPowerButton(); break;
            case InputKind.NonMaskableInterrupt:
                for (int cpu = 0; cpu < chipset.LocalApics.Length; cpu++) control.Nmi(cpu);
                break;
        }
    }
}

/// <summary>Random bytes for chips, from the machine's input source at the current position.</summary>
internal sealed class InputEntropy(Machine machine, InstructionCounter counter) : IEntropySource
{
    public void Fill(Span<byte> destination) => machine.Inputs.FillEntropy(counter.Position, destination);
}
