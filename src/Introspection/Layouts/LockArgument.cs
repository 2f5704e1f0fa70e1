using System;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Layouts;

/// <summary>Finds the address of the lock that a function was called with.</summary>
public static class LockArgument
{
    private const int ArgumentCount = 6;
    private const string Default = "arg0";

    // System V ABI, AMD64 supplement, 3.2.3.
    private static readonly string[] s_registers = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];

    /// <summary>Linear address of the lock; null: it cannot be told.</summary>
    /// <param name="view">The vCPU in the function.</param>
    /// <param name="functions">How it is passed.</param>
    /// <param name="isAtEntry">It stands at the first instruction; else only a register may still have it.</param>
    public static ulong? Read(in GuestView view, LockFunctions functions, bool isAtEntry)
    {
        string place = functions.Lock ?? Default;
        ulong? value;
        if (Number(place) is not { } argument) value = RegisterFile.Get(ref view.Vcpu.State, place);
        else if (view.CodeSize == 64) value = RegisterFile.Get(ref view.Vcpu.State, s_registers[argument]);
        // i386 supplement, 2.2.3: behind the return address.
        else value = isAtEntry ? view.ReadNumber(view.StackAddressOf(view.Vcpu.State.Rsp + (ulong)(view.CodeSize / 8 * (argument + 1))), view.CodeSize / 8) : null;
        if (value is not { } address) return null;
        address += (ulong)(functions.Offset ?? 0);
        return view.CodeSize == 64 ? address : (uint)address;
    }

    /// <summary>A layout may say it: an argument or a general register. Null is the default.</summary>
    public static bool IsPlace(string? place) => place is null || Number(place) is not null || RegisterFile.NumberOf(place) is not null;

    /// <summary>The number of an argument; null: it is in a register.</summary>
    internal static int? NumberOf(string? place) => Number(place ?? Default);

    private static int? Number(string place) =>
        place.Length == 4 && place.StartsWith("arg", StringComparison.Ordinal) && place[3] - '0' is >= 0 and < ArgumentCount and int number ? number : null;
}
