using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>A chip as its datasheet describes it.</summary>
/// <param name="Name">"8259A interrupt controllers"</param>
/// <param name="Summary">What it is up to, in a line.</param>
/// <param name="Registers">By the datasheet's names.</param>
public sealed record DeviceView(string Name, string Summary, IReadOnlyList<DeviceRegister> Registers);

/// <summary>A register, or a part of one.</summary>
/// <param name="Name">The datasheet's.</param>
/// <param name="Value">Its value, with its bits spelled out.</param>
/// <param name="Parts">What it consists of; null: nothing more.</param>
public sealed record DeviceRegister(string Name, string Value, IReadOnlyList<DeviceRegister>? Parts = null);
