namespace Introspection.Calls;

/// <summary>How arguments and results are passed.</summary>
public enum CallingConvention
{
    /// <summary>By the code: <see cref="SystemV64"/> in 64-bit mode, else <see cref="Cdecl32"/>.</summary>
    Automatic,
    /// <summary>System V ABI, AMD64 supplement, 3.2.3: RDI, RSI, RDX, RCX, R8, R9, XMM0 to 7, then the stack.</summary>
    SystemV64,
    /// <summary>System V ABI, i386 supplement, 2.2.3: all on the stack.</summary>
    Cdecl32,
    /// <summary>GCC's <c>regparm(3)</c>, as 32-bit Linux is compiled: EAX, EDX, ECX, then the stack.</summary>
    Regparm32,
}
