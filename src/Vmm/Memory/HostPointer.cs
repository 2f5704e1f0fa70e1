using System.Runtime.CompilerServices;

namespace Vmm.Memory;

/// <summary>Loads and stores at host addresses that a TLB entry or PagedMemory vouches for.</summary>
internal static unsafe class HostPointer
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(nint address) where T : unmanaged => Unsafe.ReadUnaligned<T>((void*)address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(nint address, T value) where T : unmanaged => Unsafe.WriteUnaligned((void*)address, value);

    /// <summary>Where a pinned array's first byte is.</summary>
    public static nint AddressOf(byte[] pinned) => (nint)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(pinned));

    /// <summary>A variable that lies there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T Ref<T>(nint address) where T : unmanaged => ref Unsafe.AsRef<T>((void*)address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static System.Span<byte> Span(nint address, int length) => new((void*)address, length);
}
