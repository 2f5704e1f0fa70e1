using System;

namespace Replay.Packages;

/// <summary>A file is not a recording, or is damaged, cut or of another version. The message is one sentence: which file, what,
/// where.</summary>
public sealed class RecordingFormatException(string message) : Exception(message);
