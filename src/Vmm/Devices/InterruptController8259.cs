using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// The PC's pair of 8259A programmable interrupt controllers (Intel 8259A datasheet, 231468) with the edge/level control
/// registers of the PIIX (Intel 82371SB, 290550). Master at 0x20/0x21, slave at 0xA0/0xA1 on the master's
/// IR2, ELCR at 0x4D0/0x4D1. Not modelled: 8080/8085 mode, buffered mode, ICW3 (the wiring is fixed), LTIM (the ELCR
/// replaces it, as in the PIIX), and the request of an edge-triggered input being withdrawn when its line drops before
/// INTA: an edge stays latched, so that pulses work.
/// </summary>
internal sealed class InterruptController8259(IInterruptSignal signal) : IIrqSink, IBytePortDevice, ISnapshotted
{
    public const int MasterCommandPort = 0x20;
    public const int MasterDataPort = 0x21;
    public const int SlaveCommandPort = 0xA0;
    public const int SlaveDataPort = 0xA1;
    public const int MasterElcrPort = 0x4D0;
    public const int SlaveElcrPort = 0x4D1;
    private const int CascadeInput = 2;

    private readonly Chip _master = new(isMaster: true);
    private readonly Chip _slave = new(isMaster: false);

    public string SnapshotName => "pic";

    /// <summary>INTR, the master's output to the processor.</summary>
    public bool Output { get; private set; }

    public void SetIrqLevel(int input, bool high)
    {
        // The ISA bus has no IRQ2: its pin on the master is the cascade.
        if (input == CascadeInput) return;
        (input < 8 ? _master : _slave).SetLine(input & 7, high);
        Update();
    }

    /// <summary>
    /// The two INTA cycles: returns the vector and puts the request in service. Without a request it is a spurious IR7.
    /// </summary>
    public byte Acknowledge()
    {
        int input = _master.PendingInput();
        byte vector;
        if (input < 0) vector = _master.VectorOf(7);
        else
        {
            _master.BeginService(input);
            vector = input == CascadeInput ? AcknowledgeSlave() : _master.VectorOf(input);
        }
        Update();
        return vector;
    }

    private byte AcknowledgeSlave()
    {
        int input = _slave.PendingInput();
        if (input < 0) return _slave.VectorOf(7);
        _slave.BeginService(input);
        return _slave.VectorOf(input);
    }

    public byte ReadByte(int port)
    {
        byte value = port switch
        {
            MasterCommandPort => _master.ReadCommand(),
            MasterDataPort => _master.ReadData(),
            SlaveCommandPort => _slave.ReadCommand(),
            SlaveDataPort => _slave.ReadData(),
            MasterElcrPort => _master.LevelTriggered,
            SlaveElcrPort => _slave.LevelTriggered,
            _ => 0xFF,
        };
        Update(); // a poll read acknowledges
        return value;
    }

    public void WriteByte(int port, byte value)
    {
        switch (port)
        {
            case MasterCommandPort: _master.WriteCommand(value); break;
            case MasterDataPort: _master.WriteData(value); break;
            case SlaveCommandPort: _slave.WriteCommand(value); break;
            case SlaveDataPort: _slave.WriteData(value); break;
            // The system timer, keyboard, cascade, RTC and FPU inputs are always edge-triggered.
            case MasterElcrPort: _master.LevelTriggered = (byte)(value & 0xF8); break;
            case SlaveElcrPort: _slave.LevelTriggered = (byte)(value & 0xDE); break;
            default: return;
        }
        Update();
    }

    private void Update()
    {
        _master.SetLine(CascadeInput, _slave.PendingInput() >= 0);
        bool output = _master.PendingInput() >= 0;
        if (output == Output) return;
        Output = output;
        signal.Changed();
    }

    public void Save(StateWriter writer)
    {
        _master.Save(writer);
        _slave.Save(writer);
        writer.Write("output", Output);
    }

    public void Restore(StateReader reader)
    {
        _master.Restore(reader);
        _slave.Restore(reader);
        Output = reader.ReadBoolean("output");
    }

    /// <summary>One 8259A.</summary>
    private sealed class Chip(bool isMaster)
    {
        // The cascade follows the slave's output as a level: a slave that still requests after its master's EOI is seen again.
        private readonly byte _alwaysLevel = (byte)(isMaster ? 1 << CascadeInput : 0);

        private byte _lines;
        private byte _edgeLatch;
        private byte _inService;
        private byte _mask;
        private byte _vectorBase;
        private byte _lowestPriority = 7;
        private byte _nextInitializationWord; // 0: none, else the number of the ICW that the data port expects
        private bool _single, _needsIcw4;
        private bool _autoEoi, _rotateOnAutoEoi, _specialFullyNested, _specialMask;
        private bool _pollNext, _readInService;

        public byte LevelTriggered;

        public byte VectorOf(int input) => (byte)(_vectorBase | input);

        private byte Requests
        {
            get
            {
                int level = LevelTriggered | _alwaysLevel;
                return (byte)((_edgeLatch & ~level) | (_lines & level));
            }
        }

        public void SetLine(int input, bool high)
        {
            byte bit = (byte)(1 << input);
            if (!high) _lines &= (byte)~bit;
            else if ((_lines & bit) == 0)
            {
                _lines |= bit;
                _edgeLatch |= bit;
            }
        }

        /// <summary>The request that the priority resolver passes on, or -1.</summary>
        public int PendingInput()
        {
            int requests = Requests & ~_mask;
            if (requests == 0 || _nextInitializationWord != 0) return -1;
            // In special mask mode a masked input in service holds nothing back.
            int inService = _specialMask ? _inService & ~_mask : _inService;
            int request = HighestOf(requests);
            if (inService == 0) return request;
            int current = HighestOf(inService);
            if (Rank(request) < Rank(current)) return request;
            // Special fully nested: a slave in service may interrupt again with a more urgent input of its own.
            return _specialFullyNested && isMaster && request == CascadeInput && current == CascadeInput ? request : -1;
        }

        private int Rank(int input) => (input - _lowestPriority - 1) & 7;

        private int HighestOf(int inputs)
        {
            int input = (_lowestPriority + 1) & 7;
            while ((inputs & (1 << input)) == 0) input = (input + 1) & 7;
            return input;
        }

        public void BeginService(int input)
        {
            byte bit = (byte)(1 << input);
            _edgeLatch &= (byte)~bit;
            if (!_autoEoi) _inService |= bit;
            else if (_rotateOnAutoEoi) _lowestPriority = (byte)input;
        }

        public byte ReadCommand() => _pollNext ? Poll() : _readInService ? _inService : Requests;

        public byte ReadData() => _pollNext ? Poll() : _mask;

        private byte Poll()
        {
            _pollNext = false;
            int input = PendingInput();
            if (input < 0) return 0;
            BeginService(input);
            return (byte)(0x80 | input);
        }

        public void WriteCommand(byte value)
        {
            if ((value & 0x10) != 0) BeginInitialization(value);
            else if ((value & 0x08) != 0) WriteOcw3(value);
            else WriteOcw2(value);
        }

        private void BeginInitialization(byte icw1)
        {
            _edgeLatch = 0;
            _inService = 0;
            _mask = 0;
            _lowestPriority = 7;
            _autoEoi = _rotateOnAutoEoi = _specialFullyNested = _specialMask = false;
            _pollNext = _readInService = false;
            _single = (icw1 & 0x02) != 0;
            _needsIcw4 = (icw1 & 0x01) != 0;
            _nextInitializationWord = 2;
        }

        private void WriteOcw3(byte value)
        {
            if ((value & 0x40) != 0) _specialMask = (value & 0x20) != 0;
            if ((value & 0x04) != 0) _pollNext = true;
            else if ((value & 0x02) != 0) _readInService = (value & 0x01) != 0;
        }

        private void WriteOcw2(byte value)
        {
            int input = value & 7;
            switch (value >> 5)
            {
                case 0: _rotateOnAutoEoi = false; break;
                case 1: EndOfInterrupt(-1, rotate: false); break;
                case 3: EndOfInterrupt(input, rotate: false); break;
                case 4: _rotateOnAutoEoi = true; break;
                case 5: EndOfInterrupt(-1, rotate: true); break;
                case 6: _lowestPriority = (byte)input; break;
                case 7: EndOfInterrupt(input, rotate: true); break;
            }
        }

        /// <param name="input">Which one, or -1 for the most urgent in service.</param>
        /// <param name="rotate">Makes it the least urgent.</param>
        private void EndOfInterrupt(int input, bool rotate)
        {
            if (input < 0)
            {
                // Special mask mode: a non-specific EOI does not clear an input that is masked.
                int candidates = _specialMask ? _inService & ~_mask : _inService;
                if (candidates == 0) return;
                input = HighestOf(candidates);
            }
            _inService &= (byte)~(1 << input);
            if (rotate) _lowestPriority = (byte)input;
        }

        public void WriteData(byte value)
        {
            switch (_nextInitializationWord)
            {
                case 0:
                    _mask = value;
                    break;
                case 2:
                    _vectorBase = (byte)(value & 0xF8);
                    _nextInitializationWord = (byte)(!_single ? 3 : _needsIcw4 ? 4 : 0);
                    break;
                case 3:
                    _nextInitializationWord = (byte)(_needsIcw4 ? 4 : 0);
                    break;
                default:
                    _specialFullyNested = (value & 0x10) != 0;
                    _autoEoi = (value & 0x02) != 0;
                    _nextInitializationWord = 0;
                    break;
            }
        }

        public void Save(StateWriter writer)
        {
            writer.Write("lines", (uint)_lines);
            writer.Write("edgeLatch", (uint)_edgeLatch);
            writer.Write("inService", (uint)_inService);
            writer.Write("mask", (uint)_mask);
            writer.Write("vectorBase", (uint)_vectorBase);
            writer.Write("lowestPriority", (uint)_lowestPriority);
            writer.Write("nextInitializationWord", (uint)_nextInitializationWord);
            writer.Write("levelTriggered", (uint)LevelTriggered);
            writer.Write("single", _single);
            writer.Write("needsIcw4", _needsIcw4);
            writer.Write("autoEoi", _autoEoi);
            writer.Write("rotateOnAutoEoi", _rotateOnAutoEoi);
            writer.Write("specialFullyNested", _specialFullyNested);
            writer.Write("specialMask", _specialMask);
            writer.Write("pollNext", _pollNext);
            writer.Write("readInService", _readInService);
        }

        public void Restore(StateReader reader)
        {
            _lines = reader.ReadByte("lines");
            _edgeLatch = reader.ReadByte("edgeLatch");
            _inService = reader.ReadByte("inService");
            _mask = reader.ReadByte("mask");
            _vectorBase = reader.ReadByte("vectorBase");
            _lowestPriority = (byte)(reader.ReadByte("lowestPriority") & 7);
            _nextInitializationWord = reader.ReadByte("nextInitializationWord");
            LevelTriggered = reader.ReadByte("levelTriggered");
            _single = reader.ReadBoolean("single");
            _needsIcw4 = reader.ReadBoolean("needsIcw4");
            _autoEoi = reader.ReadBoolean("autoEoi");
            _rotateOnAutoEoi = reader.ReadBoolean("rotateOnAutoEoi");
            _specialFullyNested = reader.ReadBoolean("specialFullyNested");
            _specialMask = reader.ReadBoolean("specialMask");
            _pollNext = reader.ReadBoolean("pollNext");
            _readInService = reader.ReadBoolean("readInService");
        }
    }
}
