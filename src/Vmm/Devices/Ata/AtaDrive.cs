using System;
using Vmm.Snapshots;

namespace Vmm.Devices.Ata;

/// <summary>What a drive does with the data register.</summary>
internal enum AtaTransfer : byte
{
    None = 0,
    PioIn,
    PioOut,
    DmaIn,
    DmaOut,
}

/// <summary>
/// One ATA disk: its task file, geometry and the command it is doing. Commands finish at once; what a driver sees is the order of
/// BSY, DRQ and INTRQ that ATA/ATAPI-6 chapter 9 prescribes, without the waiting.
/// </summary>
internal sealed class AtaDrive
{
    public const int DefaultHeads = 16, DefaultSectorsPerTrack = 63, MaximumMultiple = 16;

    private const int SectorSizeBytes = Disk.SectorSizeBytes;
    private const byte SetTransferMode = 0x03, EnableWriteCache = 0x02, DisableWriteCache = 0x82, EnableReadAhead = 0xAA, DisableReadAhead = 0x55;
    private const byte RevertToDefaults = 0xCC, KeepDefaults = 0x66;

    private readonly byte[] _buffer = new byte[MaximumMultiple * SectorSizeBytes];
    private int _position, _length;
    private ulong _nextSector;
    private uint _sectorsLeft;
    private int _sectorsPerBlock = 1;
    private bool _isExt;

    public AtaDrive(int unit, Disk? disk, bool hasDma)
    {
        Unit = unit;
        Disk = disk;
        HasDma = hasDma;
        Reset();
        ResetSettings();
    }

    public int Unit { get; }
    public Disk? Disk { get; }
    public bool HasDma { get; }
    public int Heads { get; private set; }
    public int SectorsPerTrack { get; private set; }
    public int MultipleCount { get; private set; }
    /// <summary>SET FEATURES' transfer mode: 0x20 + n multiword DMA, 0x40 + n Ultra DMA.</summary>
    public byte DmaMode { get; private set; }
    public byte Status { get; private set; }
    public byte Error { get; private set; }
    public AtaTransfer Transfer { get; private set; }
    /// <summary>INTRQ: pending until the status register is read or a command is written.</summary>
    public bool InterruptPending { get; set; }

    // Each task file register is a two-deep FIFO: the current byte and the previous one, for 48-bit commands (6.20).
    public ushort Features, SectorCount, LbaLow, LbaMid, LbaHigh;
    public byte Device;

    /// <summary>The state after power-on, a software reset or a diagnostic: the signature of an ATA disk (9.12).</summary>
    public void Reset()
    {
        Transfer = AtaTransfer.None;
        _position = _length = 0;
        _sectorsLeft = 0;
        Features = 0;
        SectorCount = LbaLow = 1;
        LbaMid = LbaHigh = 0;
        Device = 0;
        Error = AtaRegisters.ErrorDiagnosticPassed;
        Status = Disk is null ? (byte)0 : AtaRegisters.StatusIdle;
        InterruptPending = false;
    }

    /// <summary>SRST is set: busy until it is cleared.</summary>
    public void BeginReset()
    {
        Reset();
        if (Disk is not null) Status = AtaRegisters.StatusBusy;
    }

    public void Execute(byte code)
    {
        Status = AtaRegisters.StatusIdle;
        Error = 0;
        InterruptPending = false;
        Transfer = AtaTransfer.None;
        if ((code & 0xF0) is 0x10 or 0x70)
        {
            Complete(); // RECALIBRATE and SEEK: there is nothing to move.
            return;
        }
        switch ((AtaCommand)code)
        {
            case AtaCommand.ReadSectors or AtaCommand.ReadSectorsNoRetry: StartRead(false, 1); break;
            case AtaCommand.ReadSectorsExt: StartRead(true, 1); break;
            case AtaCommand.ReadMultiple: StartRead(false, MultipleCount); break;
            case AtaCommand.ReadMultipleExt: StartRead(true, MultipleCount); break;
            case AtaCommand.WriteSectors or AtaCommand.WriteSectorsNoRetry: StartWrite(false, 1); break;
            case AtaCommand.WriteSectorsExt: StartWrite(true, 1); break;
            case AtaCommand.WriteMultiple: StartWrite(false, MultipleCount); break;
            case AtaCommand.WriteMultipleExt: StartWrite(true, MultipleCount); break;
            case AtaCommand.ReadDma or AtaCommand.ReadDmaNoRetry: StartDma(false, AtaTransfer.DmaIn); break;
            case AtaCommand.ReadDmaExt: StartDma(true, AtaTransfer.DmaIn); break;
            case AtaCommand.WriteDma or AtaCommand.WriteDmaNoRetry: StartDma(false, AtaTransfer.DmaOut); break;
            case AtaCommand.WriteDmaExt: StartDma(true, AtaTransfer.DmaOut); break;
            case AtaCommand.ReadVerifySectors or AtaCommand.ReadVerifySectorsNoRetry: Verify(false); break;
            case AtaCommand.ReadVerifySectorsExt: Verify(true); break;
            case AtaCommand.IdentifyDevice: Identify(); break;
            case AtaCommand.SetMultipleMode: SetMultiple(); break;
            case AtaCommand.SetFeatures: SetFeatures(); break;
            case AtaCommand.InitializeDeviceParameters: InitializeParameters(); break;
            case AtaCommand.ReadNativeMaxAddress: ReadNativeMax(false); break;
            case AtaCommand.ReadNativeMaxAddressExt: ReadNativeMax(true); break;
            case AtaCommand.CheckPowerMode:
                SectorCount = 0xFF; // active
                Complete();
                break;
            case AtaCommand.FlushCache or AtaCommand.FlushCacheExt or AtaCommand.StandbyImmediate or AtaCommand.IdleImmediate
                or AtaCommand.Standby or AtaCommand.Idle or AtaCommand.Sleep:
                Complete();
                break;
            // NOP aborts by definition (8.23); so does DEVICE RESET, which only packet devices have (8.10).
            default: Abort(); break;
        }
    }

    /// <summary>Reads the data register; all ones when no data is offered.</summary>
    public uint ReadData(int sizeBytes)
    {
        if (Transfer != AtaTransfer.PioIn) return uint.MaxValue;
        uint value = 0;
        // An odd last access, which drivers do not make, gets zeros behind the block's end.
        for (int i = 0; i < sizeBytes && _position < _length; i++) value |= (uint)_buffer[_position++] << (8 * i);
        if (_position >= _length) NextBlockIn();
        return value;
    }

    /// <summary>Writes the data register; lost when no data is wanted.</summary>
    public void WriteData(int sizeBytes, uint value)
    {
        if (Transfer != AtaTransfer.PioOut) return;
        for (int i = 0; i < sizeBytes && _position < _length; i++) _buffer[_position++] = (byte)(value >> (8 * i));
        if (_position >= _length) BlockOutDone();
    }

    /// <summary>The bytes that a DMA command still has to move.</summary>
    public long DmaBytesLeft => Transfer is AtaTransfer.DmaIn or AtaTransfer.DmaOut ? _sectorsLeft * (long)SectorSizeBytes - _position : 0;

    /// <summary>Gives the next bytes of a DMA read, at most one sector's rest; returns how many.</summary>
    public int DmaRead(Span<byte> destination)
    {
        if (_position == 0) Invariant.Check(Disk!.TryRead(_nextSector, _buffer.AsSpan(0, SectorSizeBytes)));
        int count = Math.Min(destination.Length, SectorSizeBytes - _position);
        _buffer.AsSpan(_position, count).CopyTo(destination);
        AdvanceDma(count);
        return count;
    }

    /// <summary>Takes the next bytes of a DMA write, at most one sector's rest; returns how many.</summary>
    public int DmaWrite(ReadOnlySpan<byte> source)
    {
        int count = Math.Min(source.Length, SectorSizeBytes - _position);
        source[..count].CopyTo(_buffer.AsSpan(_position));
        if (_position + count == SectorSizeBytes) Invariant.Check(Disk!.TryWrite(_nextSector, _buffer.AsSpan(0, SectorSizeBytes)));
        AdvanceDma(count);
        return count;
    }

    public void Save(StateWriter writer)
    {
        writer.Write("status", (uint)Status);
        writer.Write("error", (uint)Error);
        writer.Write("features", (uint)Features);
        writer.Write("sectorCount", (uint)SectorCount);
        writer.Write("lbaLow", (uint)LbaLow);
        writer.Write("lbaMid", (uint)LbaMid);
        writer.Write("lbaHigh", (uint)LbaHigh);
        writer.Write("device", (uint)Device);
        writer.Write("interruptPending", InterruptPending);
        writer.Write("heads", Heads);
        writer.Write("sectorsPerTrack", SectorsPerTrack);
        writer.Write("multipleCount", MultipleCount);
        writer.Write("dmaMode", (uint)DmaMode);
        writer.Write("transfer", (uint)Transfer);
        writer.Write("nextSector", _nextSector);
        writer.Write("sectorsLeft", _sectorsLeft);
        writer.Write("sectorsPerBlock", _sectorsPerBlock);
        writer.Write("isExt", _isExt);
        writer.Write("position", _position);
        writer.Write("buffer", Transfer == AtaTransfer.None ? default : _buffer.AsSpan(0, _length));
    }

    public void Restore(StateReader reader)
    {
        Status = reader.ReadByte("status");
        Error = reader.ReadByte("error");
        Features = (ushort)reader.ReadUInt32("features");
        SectorCount = (ushort)reader.ReadUInt32("sectorCount");
        LbaLow = (ushort)reader.ReadUInt32("lbaLow");
        LbaMid = (ushort)reader.ReadUInt32("lbaMid");
        LbaHigh = (ushort)reader.ReadUInt32("lbaHigh");
        Device = reader.ReadByte("device");
        InterruptPending = reader.ReadBoolean("interruptPending");
        Heads = reader.ReadInt32("heads");
        SectorsPerTrack = reader.ReadInt32("sectorsPerTrack");
        MultipleCount = reader.ReadInt32("multipleCount");
        DmaMode = reader.ReadByte("dmaMode");
        Transfer = (AtaTransfer)reader.ReadByte("transfer");
        _nextSector = reader.ReadUInt64("nextSector");
        _sectorsLeft = reader.ReadUInt32("sectorsLeft");
        _sectorsPerBlock = reader.ReadInt32("sectorsPerBlock");
        _isExt = reader.ReadBoolean("isExt");
        _position = reader.ReadInt32("position");
        ReadOnlySpan<byte> buffer = reader.ReadBytes("buffer");
        CheckRestored(buffer.Length);
        _length = buffer.Length;
        buffer.CopyTo(_buffer);
    }

    private void CheckRestored(int length)
    {
        bool valid = Heads is >= 1 and <= 16 && SectorsPerTrack is >= 1 and <= 255 && MultipleCount is >= 0 and <= MaximumMultiple
            && Transfer <= AtaTransfer.DmaOut && _sectorsPerBlock is >= 1 and <= MaximumMultiple;
        if (valid && Transfer != AtaTransfer.None)
        {
            bool isDma = Transfer is AtaTransfer.DmaIn or AtaTransfer.DmaOut;
            valid = length > 0 && length <= (isDma ? SectorSizeBytes : _buffer.Length) && length % SectorSizeBytes == 0
                && _position >= 0 && _position < length && length / SectorSizeBytes <= _sectorsLeft
                && Disk is not null && Disk.Contains(_nextSector, _sectorsLeft);
        }
        if (!valid) throw new StateFormatException($"the snapshot's ATA drive {Unit} is in a state that no drive can be in");
    }

    private void ResetSettings()
    {
        Heads = DefaultHeads;
        SectorsPerTrack = DefaultSectorsPerTrack;
        MultipleCount = 0;
        DmaMode = 0;
    }

    private void Complete()
    {
        Transfer = AtaTransfer.None;
        Status = AtaRegisters.StatusIdle;
        InterruptPending = true;
    }

    private void Fail(byte error)
    {
        Complete();
        Status |= AtaRegisters.StatusError;
        Error = error;
    }

    private void Abort() => Fail(AtaRegisters.ErrorAborted);

    private void StartRead(bool isExt, int sectorsPerBlock)
    {
        if (!TryBegin(isExt, sectorsPerBlock)) return;
        Transfer = AtaTransfer.PioIn;
        OfferBlock();
    }

    private void StartWrite(bool isExt, int sectorsPerBlock)
    {
        if (!TryBegin(isExt, sectorsPerBlock)) return;
        Transfer = AtaTransfer.PioOut;
        _position = 0;
        _length = BlockSectors * SectorSizeBytes;
        // The first block of a write is asked for without an interrupt (9.6).
        Status = AtaRegisters.StatusIdle | AtaRegisters.StatusDataRequest;
    }

    private void StartDma(bool isExt, AtaTransfer transfer)
    {
        if (!HasDma)
        {
            Abort();
            return;
        }
        if (!TryBegin(isExt, 1)) return;
        Transfer = transfer;
        _position = 0;
        _length = SectorSizeBytes;
        Status = AtaRegisters.StatusIdle | AtaRegisters.StatusDataRequest;
    }

    private void Verify(bool isExt)
    {
        if (!TryBegin(isExt, 1)) return;
        StoreAddress(_nextSector + _sectorsLeft - 1);
        Complete();
    }

    /// <summary>Takes the address and count from the task file. False when the command has ended with an error.</summary>
    private bool TryBegin(bool isExt, int sectorsPerBlock)
    {
        if (sectorsPerBlock == 0)
        {
            Abort(); // READ/WRITE MULTIPLE before SET MULTIPLE MODE
            return false;
        }
        _isExt = isExt;
        _sectorsPerBlock = sectorsPerBlock;
        uint count = isExt ? SectorCount : (uint)(byte)SectorCount;
        _sectorsLeft = count != 0 ? count : isExt ? 65536u : 256u;
        if (!TryLoadAddress(isExt, out _nextSector))
        {
            Fail(AtaRegisters.ErrorIdNotFound);
            return false;
        }
        if (Disk!.Contains(_nextSector, _sectorsLeft)) return true;
        // The registers then hold the first address that does not exist.
        StoreAddress(Math.Max(_nextSector, (ulong)Disk.SectorCount));
        Fail(AtaRegisters.ErrorIdNotFound);
        return false;
    }

    private bool TryLoadAddress(bool isExt, out ulong sector)
    {
        byte low = (byte)LbaLow, mid = (byte)LbaMid, high = (byte)LbaHigh;
        if (isExt)
        {
            sector = low | (ulong)mid << 8 | (ulong)high << 16
                | (ulong)(LbaLow >> 8) << 24 | (ulong)(LbaMid >> 8) << 32 | (ulong)(LbaHigh >> 8) << 40;
            return true;
        }
        if ((Device & AtaRegisters.DeviceLba) != 0)
        {
            sector = low | (ulong)mid << 8 | (ulong)high << 16 | (ulong)(Device & 15) << 24;
            return true;
        }
        int cylinder = mid | high << 8, head = Device & 15;
        sector = (ulong)(((long)cylinder * Heads + head) * SectorsPerTrack + low - 1);
        return low >= 1 && low <= SectorsPerTrack && head < Heads;
    }

    private void StoreAddress(ulong sector)
    {
        if (_isExt)
        {
            LbaLow = (ushort)((sector & 0xFF) | (sector >> 24 & 0xFF) << 8);
            LbaMid = (ushort)((sector >> 8 & 0xFF) | (sector >> 32 & 0xFF) << 8);
            LbaHigh = (ushort)((sector >> 16 & 0xFF) | (sector >> 40 & 0xFF) << 8);
        }
        else if ((Device & AtaRegisters.DeviceLba) != 0)
        {
            LbaLow = (byte)sector;
            LbaMid = (byte)(sector >> 8);
            LbaHigh = (byte)(sector >> 16);
            Device = (byte)((Device & 0xF0) | (byte)(sector >> 24 & 15));
        }
        else
        {
            ulong track = sector / (uint)SectorsPerTrack, cylinder = track / (uint)Heads;
            LbaLow = (ushort)(sector % (uint)SectorsPerTrack + 1);
            LbaMid = (byte)cylinder;
            LbaHigh = (byte)(cylinder >> 8);
            Device = (byte)((Device & 0xF0) | (byte)(track % (uint)Heads));
        }
    }

    private int BlockSectors => (int)Math.Min((uint)_sectorsPerBlock, _sectorsLeft);

    /// <summary>Loads a block and offers it: one interrupt per block (9.5).</summary>
    private void OfferBlock()
    {
        int sectors = BlockSectors;
        _position = 0;
        _length = sectors * SectorSizeBytes;
        Invariant.Check(Disk!.TryRead(_nextSector, _buffer.AsSpan(0, _length)));
        StoreAddress(_nextSector + (uint)sectors - 1);
        Status = AtaRegisters.StatusIdle | AtaRegisters.StatusDataRequest;
        InterruptPending = true;
    }

    private void NextBlockIn()
    {
        int sectors = _length / SectorSizeBytes;
        _nextSector += (uint)sectors;
        _sectorsLeft -= (uint)sectors;
        if (_sectorsLeft != 0)
        {
            OfferBlock();
            return;
        }
        // No interrupt after the last block of a read (9.5).
        Transfer = AtaTransfer.None;
        Status = AtaRegisters.StatusIdle;
        SectorCount = 0;
    }

    private void BlockOutDone()
    {
        int sectors = _length / SectorSizeBytes;
        Invariant.Check(Disk!.TryWrite(_nextSector, _buffer.AsSpan(0, _length)));
        StoreAddress(_nextSector + (uint)sectors - 1);
        _nextSector += (uint)sectors;
        _sectorsLeft -= (uint)sectors;
        Complete();
        if (_sectorsLeft == 0)
        {
            SectorCount = 0;
            return;
        }
        Transfer = AtaTransfer.PioOut;
        _position = 0;
        _length = BlockSectors * SectorSizeBytes;
        Status = AtaRegisters.StatusIdle | AtaRegisters.StatusDataRequest;
    }

    private void AdvanceDma(int count)
    {
        _position += count;
        if (_position < SectorSizeBytes) return;
        _position = 0;
        _nextSector++;
        if (--_sectorsLeft != 0) return;
        SectorCount = 0;
        StoreAddress(_nextSector - 1);
        Complete();
    }

    private void Identify()
    {
        AtaIdentify.Fill(_buffer.AsSpan(0, SectorSizeBytes), this, Disk!, HasDma);
        _position = 0;
        _length = SectorSizeBytes;
        // As a read of one sector whose data is already there.
        _nextSector = 0;
        _sectorsLeft = 1;
        Transfer = AtaTransfer.PioIn;
        Status = AtaRegisters.StatusIdle | AtaRegisters.StatusDataRequest;
        InterruptPending = true;
    }

    private void SetMultiple()
    {
        int count = (byte)SectorCount;
        bool isPowerOfTwo = (count & (count - 1)) == 0;
        if (count > MaximumMultiple || !isPowerOfTwo)
        {
            MultipleCount = 0; // a bad count also switches the mode off (8.39)
            Abort();
            return;
        }
        MultipleCount = count;
        Complete();
    }

    private void SetFeatures()
    {
        switch ((byte)Features)
        {
            case EnableWriteCache or DisableWriteCache or EnableReadAhead or DisableReadAhead or RevertToDefaults or KeepDefaults:
                Complete();
                break;
            case SetTransferMode:
                int kind = (byte)SectorCount >> 3, mode = SectorCount & 7;
                bool isPio = kind is 0 or 1 && mode <= 4, isMultiword = HasDma && kind == 4 && mode <= 2, isUltra = HasDma && kind == 8 && mode <= 5;
                if (!isPio && !isMultiword && !isUltra)
                {
                    Abort();
                    break;
                }
                if (!isPio) DmaMode = (byte)SectorCount;
                Complete();
                break;
            default: Abort(); break;
        }
    }

    private void InitializeParameters()
    {
        if ((byte)SectorCount == 0)
        {
            Abort();
            return;
        }
        Heads = (Device & 15) + 1;
        SectorsPerTrack = (byte)SectorCount;
        Complete();
    }

    private void ReadNativeMax(bool isExt)
    {
        ulong last = (ulong)Disk!.SectorCount - 1;
        _isExt = isExt;
        if (!isExt) Device |= AtaRegisters.DeviceLba;
        StoreAddress(isExt ? last : Math.Min(last, 0x0FFF_FFFE));
        Complete();
    }
}
