using System;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>The 16550A UART (National Semiconductor PC16550D) and the 8042 keyboard controller with what hangs on it.</summary>
internal static class Serials
{
    public static DeviceView DescribeUart(ChipFields chip)
    {
        int waiting = chip.Bytes("host").Length, received = (int)chip.Number("fifoCount");
        ReadOnlyMemory<byte> fifo = chip.Bytes("fifo");
        int head = (int)chip.Number("fifoHead");
        bool hasFifos = chip.Flag("fifosEnabled");
        ulong trigger = chip.Number("triggerCount"), enable = chip.Number("interruptEnable"), line = chip.Number("lineControl"), modem = chip.Number("modemControl");
        ulong modemStatus = chip.Number("modemStatus"), scratch = chip.Number("scratch"), divisor = chip.Number("divisor");
        bool transmitterEmpty = chip.Flag("transmitterEmptyPending"), timeout = chip.Flag("timeoutPending"), overrun = chip.Flag("overrun"), irq = chip.Flag("irq");
        string format = $"{5 + (line & 3)}{((line >> 3 & 1) == 0 ? "N" : (line >> 4 & 1) != 0 ? "E" : "O")}{((line >> 2 & 1) != 0 ? 2 : 1)}";
        string speed = divisor == 0 ? "no divisor" : $"{115_200 / divisor} baud";
        var bytes = new List<byte>();
        for (int i = 0; i < received && fifo.Length > 0; i++) bytes.Add(fifo.Span[(head + i) % fifo.Length]);
        ulong lineStatus = (received > 0 ? 1u : 0) | (overrun ? 2u : 0) | 0x60;
        return new DeviceView($"16550A serial port {chip.ChipNumber}",
            $"{speed} {format}; {RegisterText.Plural(received, "byte")} received{(waiting > 0 ? $", {waiting} to come" : "")}; IRQ {(irq ? "high" : "low")}",
        [
            new("RBR", received == 0 ? "empty" : Text.Hexadecimal.Bytes([.. bytes])),
            new("IER", RegisterText.Bits(enable, 8, "received data", "transmitter empty", "line status", "modem status")),
            new("IIR", !irq ? "0x01: no interrupt" : received >= (int)trigger && received > 0 ? "received data"
                : timeout ? "character timeout" : transmitterEmpty ? "transmitter empty" : "line or modem status"),
            new("FCR", hasFifos ? $"FIFOs on, trigger at {trigger}" : "FIFOs off"),
            new("LCR", $"{RegisterText.Hex(line, 8)}: {format}{((line >> 6 & 1) != 0 ? ", break" : "")}{((line >> 7 & 1) != 0 ? ", DLAB" : "")}"),
            new("MCR", RegisterText.Bits(modem, 8, "DTR", "RTS", "OUT1", "OUT2", "loopback")),
            new("LSR", RegisterText.Bits(lineStatus, 8, "DR", "OE", "PE", "FE", "BI", "THRE", "TEMT")),
            new("MSR", RegisterText.Bits(modemStatus, 8, "DCTS", "DDSR", "TERI", "DDCD", "CTS", "DSR", "RI", "DCD")),
            new("SCR", RegisterText.Hex(scratch, 8)), new("DLL, DLM", $"{divisor}: {speed}"),
        ]);
    }

    public static DeviceView DescribeKeyboardController(ChipFields chip)
    {
        int scanCodes = chip.Bytes("keyboardScanCodes").Length, replies = chip.Bytes("keyboardReplies").Length, mouseReplies = chip.Bytes("mouseReplies").Length;
        ReadOnlyMemory<byte> ram = chip.Bytes("ram");
        ulong command = ram.Length > 0 ? ram.Span[0] : 0u, output = chip.Number("outputBuffer"), outputPort = chip.Number("outputPort");
        bool isFull = chip.Flag("isOutputFull"), isFromMouse = chip.Flag("isOutputFromMouse"), lastWasCommand = chip.Flag("lastWriteWasCommand");
        ulong awaited = chip.Number("commandAwaitingData"), status = (isFull ? 1u : 0) | (command & 4) | (lastWasCommand ? 8u : 0) | 0x10 | (isFull && isFromMouse ? 0x20u : 0);
        return new DeviceView("8042 keyboard controller",
            $"keyboard {((command >> 4 & 1) != 0 ? "disabled" : "enabled")}, mouse {((command >> 5 & 1) != 0 ? "disabled" : "enabled")}; "
            + (isFull ? $"output buffer 0x{output:x2} from the {(isFromMouse ? "mouse" : "keyboard")}" : "output buffer empty"),
        [
            new("status", RegisterText.Bits(status, 8, "output full", "input full", "system", "last was a command", "unlocked", "mouse data", "timeout", "parity")),
            new("command byte", RegisterText.Bits(command, 8, "keyboard interrupt", "mouse interrupt", "system", "", "keyboard disabled", "mouse disabled", "translation")),
            new("output buffer", isFull ? RegisterText.Hex(output, 8) : "empty"),
            new("output port", RegisterText.Bits(outputPort, 8, "not reset", "A20", "mouse clock", "mouse data", "IRQ 1", "IRQ 12")),
            new("command awaiting data", awaited == 0 ? "none" : RegisterText.Hex(awaited, 8)),
            new("keyboard", $"scan code set {chip.Number("keyboardScanCodeSet")}, "
                + $"{(chip.Flag("keyboardIsScanning") ? "scanning" : "not scanning")}, {scanCodes} scan codes and {replies} replies wait"),
            new("keyboard LEDs", RegisterText.Bits(chip.Number("keyboardLeds"), 8, "Scroll Lock", "Num Lock", "Caps Lock")),
            new("mouse", $"{(chip.Flag("mouseIsReporting") ? "reporting" : "not reporting")}, {chip.Number("mouseSampleRate")} samples a second, {mouseReplies} replies wait"),
        ]);
    }
}
