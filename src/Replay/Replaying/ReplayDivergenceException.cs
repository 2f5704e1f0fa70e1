using System;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>
/// A replay did something else than the recording: a bug of the machine, or a recording that was tampered with. The message names the
/// position, what was expected and what happened.
/// </summary>
public sealed class ReplayDivergenceException(Position position, string expected, string got)
    : Exception($"the replay diverges from the recording at {position}: expected {expected}, got {got}")
{
    public Position Position => position;
    public string Expected => expected;
    public string Got => got;
}
