using Replay.Recording;

namespace Dap.Live;

/// <summary>A guest that lives, is recorded and can be debugged.</summary>
/// <param name="Recording">What is recorded up to now, and the way to let it live on.</param>
/// <param name="Input">What goes in and comes out.</param>
public sealed record LiveGuest(LiveRecording Recording, LiveInput Input);
