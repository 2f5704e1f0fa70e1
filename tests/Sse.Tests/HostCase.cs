using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sse.Tests;

[InlineArray(4)] public struct HostXmm { private Vector128<byte> _0; }
[InlineArray(32)] public struct HostBytes { private byte _0; }
[InlineArray(15)] public struct HostCode { private byte _0; }

/// <summary>
/// One instruction with its operands in XMM0..3, RAX, RCX, RDX and memory at RSI, and afterwards its results: struct sse_case of
/// host/sse-oracle.c.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct HostCase
{
    public HostXmm Xmm;
    public ulong Rax, Rcx, Rdx, Rflags;
    public uint Mxcsr, Faulted;
    public byte Length;
    public HostCode Code;
    public ulong Misalignment;
    public HostBytes Memory;
}
