
namespace Introspection.Layouts;

/// <summary>Whether a declaration makes sense.</summary>
internal static class ChannelLayoutCheck
{
    public const int MaximumChannels = 256, MaximumSlots = 4096, MaximumMessageBytes = 4096;

    /// <exception cref="LayoutException">It does not.</exception>
    public static void Check(ChannelLayout channel, string name)
    {
        string who = $"{name}: channel '{channel.Called}'";
        if (channel.Count is <= 0 or > MaximumChannels) throw new LayoutException($"{who}: there are 1 to {MaximumChannels} in a row");
        if (channel.Stride is <= 0 || (channel.Count > 1 && channel.Stride is null && channel.Structure is null))
            throw new LayoutException($"{who}: several need a stride or a structure");
        if (channel.Slots is <= 0 or > MaximumSlots || (channel.Slots is null && channel.Ring.Member is null))
            throw new LayoutException($"{who}: it needs 'slots', 1 to {MaximumSlots}");
        if (channel.MessageBytes is <= 0 or > MaximumMessageBytes || (channel.MessageBytes is null && channel.Ring.Member is null))
            throw new LayoutException($"{who}: it needs 'messageBytes', 1 to {MaximumMessageBytes}");
        MemoryField?[] fields =
        [
            channel.Sequence, channel.Sent, channel.Received, channel.Acknowledged, channel.FullStalls, channel.EmptyStalls, channel.Sender, channel.Receiver,
        ];
        foreach (MemoryField? field in fields)
            if (field is not null && field.SizeBytes is not (1 or 2 or 4 or 8)) throw new LayoutException($"{who} has a field of {field.SizeBytes} bytes: 1, 2, 4 or 8");
    }
}
