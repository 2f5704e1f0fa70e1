using System;
using System.Buffers.Binary;

namespace Vmm.Translation;

/// <summary>
/// The target that a jump or return to a computed address, in the value register, had when it was first reached: the address is compared in the code, and the code there jumped to.
/// Only what is on the page of the jump itself can be in it, as what is mapped at other pages changes with the address space; others go through the jump cache, and so does
/// every target but the first. Empty, it jumps to where it will be filled; discarding the target's block empties it.
/// </summary>
internal static class InlineCache
{
    private const int CompareSizeBytes = 7, JumpIfSizeBytes = 6, SizeBytes = CompareSizeBytes + JumpIfSizeBytes, JumpSizeBytes = 5;

    // CMP r10, imm32 and CMP r10d, imm32; JE.
    private static ReadOnlySpan<byte> Filled64 => [0x49, 0x81, 0xFA, 0, 0, 0, 0, 0x0F, 0x84, 0, 0, 0, 0];
    private static ReadOnlySpan<byte> Filled32 => [0x41, 0x81, 0xFA, 0, 0, 0, 0, 0x0F, 0x84, 0, 0, 0, 0];
    // NOPs of 9 and 4 bytes (SDM 2B, NOP).
    private static ReadOnlySpan<byte> Nothing => [0x66, 0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0, 0x0F, 0x1F, 0x40, 0];

    // A NOP of 8 bytes, which with the jump makes as many as the others.
    private static ReadOnlySpan<byte> Rest => [0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0];

    /// <summary>Emits an empty one, behind which follows what happens with other targets.</summary>
    public static void Emit(Emitter e, Label fill)
    {
        Invariant.Check(HostRegister.Value == HostRegister.R10);
        e.Jump(fill);
        // Never executed, but read by people.
        foreach (byte value in Rest) e.Byte(value);
    }

    /// <summary>What an empty one jumps to.</summary>
    public static nint FillOf(CodeCache cache, nint at)
    {
        ReadOnlySpan<byte> bytes = cache.BytesOf(at, JumpSizeBytes);
        Invariant.Check(bytes[0] == 0xE9);
        return at + JumpSizeBytes + BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]);
    }

    /// <summary>Lets it jump to the code of an address. False: it cannot compare that address.</summary>
    public static bool TryFill(CodeCache cache, nint at, ulong rip, bool is64, nint code)
    {
        if (is64 && (long)rip != (int)rip) return false;
        Span<byte> bytes = cache.BytesOf(at, SizeBytes);
        (is64 ? Filled64 : Filled32).CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[(CompareSizeBytes - sizeof(int))..], (int)rip);
        cache.PatchDisplacement(at + SizeBytes - sizeof(int), code);
        return true;
    }

    /// <summary>It will not be filled any more.</summary>
    public static void Disable(CodeCache cache, nint at) => Nothing.CopyTo(cache.BytesOf(at, SizeBytes));
}
