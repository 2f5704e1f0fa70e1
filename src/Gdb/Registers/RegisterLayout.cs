using System.Collections.Generic;
using Vmm.Cpu;

namespace Gdb.Registers;

/// <summary>
/// The registers in the order of their numbers: those that gdb requires of an x86 target ("i386 Features", gdb manual appendix G.5.5), then the system registers,
/// named as in QEMU's description.
/// </summary>
internal sealed class RegisterLayout
{
    public const string Core = "org.gnu.gdb.i386.core", Sse = "org.gnu.gdb.i386.sse", Segments = "org.gnu.gdb.i386.segments", SystemRegisters = "org.ttvm.x86.system";

    private readonly List<RegisterDescription> _registers = [];

    private RegisterLayout(bool is64Bit)
    {
        Is64Bit = is64Bit;
        if (is64Bit) AddGeneral64();
        else AddGeneral32();
        Add("eflags", 4, "i386_eflags", RegisterKind.Flags, 0, Core);
        (string Name, int Index)[] segments = [("cs", SegmentIndex.Cs), ("ss", SegmentIndex.Ss), ("ds", SegmentIndex.Ds), ("es", SegmentIndex.Es),
            ("fs", SegmentIndex.Fs), ("gs", SegmentIndex.Gs)];
        foreach ((string name, int index) in segments) Add(name, 4, "int32", RegisterKind.Selector, index, Core);
        AddX87();
        for (int i = 0; i < (is64Bit ? 16 : 8); i++) Add($"xmm{i}", 16, "vec128", RegisterKind.Xmm, i, Sse);
        Add("mxcsr", 4, "i386_mxcsr", RegisterKind.Mxcsr, 0, Sse);
        if (is64Bit)
        {
            Add("fs_base", 8, "int", RegisterKind.SegmentBase, SegmentIndex.Fs, Segments);
            Add("gs_base", 8, "int", RegisterKind.SegmentBase, SegmentIndex.Gs, Segments);
            Add("k_gs_base", 8, "int", RegisterKind.KernelGsBase, 0, SystemRegisters);
        }
        AddSystem(is64Bit ? 8 : 4);
        foreach (RegisterDescription register in _registers) SizeBytes += register.SizeBytes;
        TargetDescription = Registers.TargetDescription.Write(this);
    }

    public static RegisterLayout For(bool is64Bit) => new(is64Bit);

    public bool Is64Bit { get; }
    public IReadOnlyList<RegisterDescription> All => _registers;
    /// <summary>Of all registers together.</summary>
    public int SizeBytes { get; }
    /// <summary>target.xml.</summary>
    public string TargetDescription { get; }

    private void AddGeneral64()
    {
        // gdb's numbers are the System V ABI's, not the SDM's.
        (string Name, int Number)[] general = [("rax", 0), ("rbx", 3), ("rcx", 1), ("rdx", 2), ("rsi", 6), ("rdi", 7), ("rbp", 5), ("rsp", 4)];
        foreach ((string name, int number) in general)
            Add(name, 8, number is 4 or 5 ? "data_ptr" : "int64", RegisterKind.General, number, Core);
        for (int i = 8; i < 16; i++) Add($"r{i}", 8, "int64", RegisterKind.General, i, Core);
        Add("rip", 8, "code_ptr", RegisterKind.InstructionPointer, 0, Core);
    }

    private void AddGeneral32()
    {
        string[] general = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
        for (int i = 0; i < general.Length; i++) Add(general[i], 4, i is 4 or 5 ? "data_ptr" : "int32", RegisterKind.General, i, Core);
        Add("eip", 4, "code_ptr", RegisterKind.InstructionPointer, 0, Core);
    }

    private void AddX87()
    {
        for (int i = 0; i < 8; i++) Add($"st{i}", 10, "i387_ext", RegisterKind.X87Stack, i, Core);
        (string Name, RegisterKind Kind)[] control = [("fctrl", RegisterKind.X87Control), ("fstat", RegisterKind.X87Status), ("ftag", RegisterKind.X87Tag),
            ("fiseg", RegisterKind.X87InstructionSelector), ("fioff", RegisterKind.X87InstructionOffset), ("foseg", RegisterKind.X87DataSelector),
            ("fooff", RegisterKind.X87DataOffset), ("fop", RegisterKind.X87Opcode)];
        foreach ((string name, RegisterKind kind) in control) Add(name, 4, "int", kind, 0, Core);
    }

    private void AddSystem(int sizeBytes)
    {
        string integer = sizeBytes == 8 ? "int64" : "int32";
        Add("cr0", sizeBytes, "x86_cr0", RegisterKind.ControlRegister, 0, SystemRegisters);
        Add("cr2", sizeBytes, integer, RegisterKind.ControlRegister, 2, SystemRegisters);
        Add("cr3", sizeBytes, integer, RegisterKind.ControlRegister, 3, SystemRegisters);
        Add("cr4", sizeBytes, "x86_cr4", RegisterKind.ControlRegister, 4, SystemRegisters);
        if (sizeBytes == 8) Add("cr8", sizeBytes, integer, RegisterKind.ControlRegister, 8, SystemRegisters);
        Add("efer", sizeBytes, "x86_efer", RegisterKind.Efer, 0, SystemRegisters);
    }

    private void Add(string name, int sizeBytes, string type, RegisterKind kind, int number, string feature) =>
        _registers.Add(new RegisterDescription(name, sizeBytes, type, kind, number, feature));
}
