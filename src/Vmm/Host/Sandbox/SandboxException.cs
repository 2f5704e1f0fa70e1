using System;
using System.Runtime.InteropServices;

namespace Vmm.Host.Sandbox;

/// <summary>The host does not let us lock ourselves in; the message is one sentence.</summary>
public sealed class SandboxException(string message) : Exception(message)
{
    /// <summary>With what the last call into the system says.</summary>
    internal static SandboxException Of(string what) => new($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}
