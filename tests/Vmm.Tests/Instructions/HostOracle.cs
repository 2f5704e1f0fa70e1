using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>
/// The host CPU, through <c>host/oracle.c</c> in a child process: both structures of its protocol are little-endian and without padding.
/// </summary>
internal sealed class HostOracle : IDisposable
{
    private const int MaximumCodeSize = 256, FxSize = 512;
    private const int RequestSize = 8 + MaximumCodeSize + (16 * 8) + 8 + FxSize + CaseState.PageSizeBytes;
    private const int ResponseSize = 8 + 16 + (16 * 8) + 8 + FxSize + CaseState.PageSizeBytes;

    private readonly Process _process;
    private readonly byte[] _request = new byte[RequestSize];
    private readonly byte[] _response = new byte[ResponseSize];

    public HostOracle()
    {
        string program = HostProgram.Build("oracle.c");
        _process = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("the oracle did not start");
    }

    /// <summary>Runs the bytes from the input state until they end, fault or loop.</summary>
    public CaseOutcome Run(int bitness, ReadOnlySpan<byte> code, CaseState input)
    {
        if (code.Length > MaximumCodeSize) throw new ArgumentException($"{code.Length} bytes of code are more than the oracle takes", nameof(code));
        Span<byte> request = _request;
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, bitness);
        BinaryPrimitives.WriteInt32LittleEndian(request[4..], code.Length);
        code.CopyTo(request[8..]);
        int at = 8 + MaximumCodeSize;
        for (int register = 0; register < 16; register++, at += 8) BinaryPrimitives.WriteUInt64LittleEndian(request[at..], input.General[register]);
        BinaryPrimitives.WriteUInt64LittleEndian(request[at..], input.RFlags);
        at += 8;
        EncodeFx(request.Slice(at, FxSize), input);
        at += FxSize;
        input.ScratchPage.CopyTo(request[at..]);

        Stream toOracle = _process.StandardInput.BaseStream;
        toOracle.Write(_request);
        toOracle.Flush();
        _process.StandardOutput.BaseStream.ReadExactly(_response);
        return Decode(input);
    }

    private CaseOutcome Decode(CaseState input)
    {
        ReadOnlySpan<byte> response = _response;
        int vector = BinaryPrimitives.ReadInt32LittleEndian(response); // -1 completed, -2 timed out, as in CaseOutcome
        uint errorCode = BinaryPrimitives.ReadUInt32LittleEndian(response[4..]);
        ulong cr2 = BinaryPrimitives.ReadUInt64LittleEndian(response[8..]);
        CaseState state = input.Clone();
        state.Rip = BinaryPrimitives.ReadUInt64LittleEndian(response[16..]);
        int at = 24;
        for (int register = 0; register < 16; register++, at += 8) state.General[register] = BinaryPrimitives.ReadUInt64LittleEndian(response[at..]);
        state.RFlags = BinaryPrimitives.ReadUInt64LittleEndian(response[at..]) & ~Vmm.Cpu.RFlags.Resume;
        at += 8;
        DecodeFx(response.Slice(at, FxSize), state);
        at += FxSize;
        response[at..].CopyTo(state.ScratchPage);
        bool hasErrorCode = vector >= 0 && new Vmm.Cpu.PendingException((Vmm.Cpu.Vector)vector, 0).HasErrorCode;
        return new CaseOutcome(state, vector, hasErrorCode ? errorCode : 0, vector == 14 ? cr2 : 0);
    }

    /// <summary>The FXSAVE image (SDM 1 table 10-2): MMX registers are in use, the top of the x87 stack is 0.</summary>
    private static void EncodeFx(Span<byte> image, CaseState state)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, 0x37F);
        image[4] = state.Tags;
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], state.Mxcsr);
        for (int register = 0; register < 8; register++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(image[(32 + (16 * register))..], state.Mm[register]);
            BinaryPrimitives.WriteUInt16LittleEndian(image[(40 + (16 * register))..], 0xFFFF);
        }
        for (int register = 0; register < 16; register++) BinaryPrimitives.WriteUInt128LittleEndian(image[(160 + (16 * register))..], state.Xmm[register]);
    }

    private static void DecodeFx(ReadOnlySpan<byte> image, CaseState state)
    {
        state.Tags = image[4];
        state.Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[24..]);
        for (int register = 0; register < 8; register++) state.Mm[register] = BinaryPrimitives.ReadUInt64LittleEndian(image[(32 + (16 * register))..]);
        for (int register = 0; register < 16; register++) state.Xmm[register] = BinaryPrimitives.ReadUInt128LittleEndian(image[(160 + (16 * register))..]);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000)) _process.Kill();
        _process.Dispose();
    }
}
