using System;

namespace Vmm.Devices;

/// <summary>A disk image that cannot be one. The message is one sentence for people.</summary>
public sealed class DiskImageException(string message) : Exception(message);
