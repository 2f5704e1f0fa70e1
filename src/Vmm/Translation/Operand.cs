namespace Vmm.Translation;

/// <summary>Where an instruction of the host finds its register-or-memory operand.</summary>
/// <param name="Register">The register, or the base of the address.</param>
/// <param name="IsMemory">It is an address: base + index * 2^scale + displacement.</param>
/// <param name="Displacement">Bytes.</param>
/// <param name="Index">Index register; negative: none.</param>
/// <param name="Scale">0..3.</param>
internal readonly record struct Operand(int Register, bool IsMemory, int Displacement, int Index, int Scale)
{
    public static Operand Of(int register) => new(register, false, 0, -1, 0);
    public static Operand At(int register, int displacement = 0) => new(register, true, displacement, -1, 0);
    public static Operand At(int register, int index, int scale, int displacement) => new(register, true, displacement, index, scale);
    /// <summary>A field of the vCPU's frame.</summary>
    public static Operand Field(int offset) => At(HostRegister.Frame, offset);

    public bool IsRegister => !IsMemory;
}
