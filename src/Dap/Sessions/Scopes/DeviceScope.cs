using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>The machine's chips, each with its registers.</summary>
internal sealed class DeviceScope(Session session)
{
    public IReadOnlyList<Variable> Read()
    {
        var list = new List<Variable>();
        foreach (TtvmDevice device in DeviceViews.Read(session.Machine).Devices) list.Add(Group(device.Name, device.Summary, device.Fields));
        return list;
    }

    private Variable Group(string name, string value, IReadOnlyList<TtvmField>? fields) => new()
    {
        Name = name, Value = value, VariablesReference = fields is { Count: > 0 } ? session.Variables.Add(VariableSource.Of(() => Fields(fields))) : 0,
    };

    private List<Variable> Fields(IReadOnlyList<TtvmField> fields)
    {
        var list = new List<Variable>();
        foreach (TtvmField field in fields) list.Add(Group(field.Name, field.Value, field.Fields));
        return list;
    }
}
