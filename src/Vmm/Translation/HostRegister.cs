namespace Vmm.Translation;

/// <summary>The host's general registers, by encoding number.</summary>
internal static class HostRegister
{
    public const int Rax = 0, Rcx = 1, Rdx = 2, Rbx = 3, Rsp = 4, Rbp = 5, Rsi = 6, Rdi = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11, R12 = 12, R13 = 13, R14 = 14, R15 = 15;

    /// <summary>Free for the translator: an address, and two values.</summary>
    public const int Address = R9, Value = R10, Other = R11;

    /// <summary>Address of the vCPU's state, all the time that generated code runs.</summary>
    public const int Frame = Rsp;

    private const sbyte InFrame = -1;

    // Twelve guest registers live in host registers, eleven of them in their own. RSP's place is taken; R9, R10, R11 and R15, which compilers use least, stay in the frame.
    private static readonly sbyte[] s_hosts = [Rax, Rcx, Rdx, Rbx, R15, Rbp, Rsi, Rdi, R8, InFrame, InFrame, InFrame, R12, R13, R14, InFrame];

    /// <summary>The host register that holds a guest register (0..15); negative: it lives in the frame.</summary>
    public static int OfGuest(int guest) => s_hosts[guest];
}
