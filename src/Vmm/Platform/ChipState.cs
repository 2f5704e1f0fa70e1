using System.Collections.Generic;
using Vmm.Snapshots;

namespace Vmm.Platform;

/// <summary>What a chip holds, for looking at: its latches and counters, by the names of its snapshot. Taking it changes nothing.</summary>
/// <param name="Name">Its name in a snapshot: "pic", "lapic0", "uart1" ...</param>
/// <param name="Fields">In the order of the snapshot. A name may come several times, once for each part of the chip.</param>
public sealed record ChipState(string Name, IReadOnlyList<StateField> Fields);
