namespace Vmm.Devices;

/// <summary>
/// The Bochs debug console: bytes written to 0xE9 are printed, and reading 0xE9 there says that it exists. It has no
/// state.
/// </summary>
internal sealed class DebugConsole(IByteSink output) : IBytePortDevice
{
    public const int Port = 0xE9;

    public byte ReadByte(int port) => port == Port ? (byte)Port : (byte)0xFF;

    public void WriteByte(int port, byte value)
    {
        if (port == Port) output.WriteByte(value);
    }
}
