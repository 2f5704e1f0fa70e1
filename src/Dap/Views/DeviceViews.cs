using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Devices;
using Vmm.Platform;

namespace Dap.Views;

/// <summary>Chips, as the protocol says them.</summary>
internal static class DeviceViews
{
    public static TtvmDevices Read(Machine machine)
    {
        var devices = new List<TtvmDevice>();
        foreach (DeviceView device in DeviceReader.Read(machine)) devices.Add(new TtvmDevice { Name = device.Name, Summary = device.Summary, Fields = FieldsOf(device.Registers) });
        return new TtvmDevices { Devices = devices };
    }

    private static List<TtvmField> FieldsOf(IReadOnlyList<DeviceRegister> registers)
    {
        var fields = new List<TtvmField>(registers.Count);
        foreach (DeviceRegister register in registers)
            fields.Add(new TtvmField { Name = register.Name, Value = register.Value, Fields = register.Parts is { Count: > 0 } parts ? FieldsOf(parts) : null });
        return fields;
    }
}
