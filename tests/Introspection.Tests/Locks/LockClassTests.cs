using System.Collections.Generic;
using Introspection.Locks.History;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>Inversions between classes of locks.</summary>
public sealed class LockClassTests
{
    private static (LockClasses Classes, LockHistory History) Find(ConcurrencyRecording recording)
    {
        LockHistory history = recording.History();
        return (LockClasses.Find(recording.Timeline, history, recording.Locks, recording.Symbols), history);
    }

    [Fact]
    public void Two_classes_in_both_orders_are_found_where_no_two_locks_are()
    {
        using var recording = new ConcurrencyRecording("classes", seed: 1);
        (LockClasses classes, LockHistory history) = Find(recording);
        Assert.Empty(history.Findings);
        LockFinding one = Assert.Single(classes.Inversions());
        Assert.Equal(LockFindingKind.ClassInversion, one.Kind);
        Assert.Equal(new HashSet<string> { "inodes[]", "dentries[]" }, [.. one.Classes]);
        Assert.Equal(4, one.Uses.Count);
        Assert.True(one.Uses[0].IsHeldAt(one.Uses[1].Wanted) && one.Uses[2].IsHeldAt(one.Uses[3].Wanted));
        Assert.Equal(one.Uses[1].Wanted, one.At);
        // dentries[0], then dentries[1].
        Assert.Equal(1, classes.NestedInOwnClassCount);
    }

    [Theory]
    [InlineData("inversion")]
    [InlineData("inversion-broken")]
    [InlineData("xv6")]
    public void What_is_in_order_or_an_inversion_already_is_none(string guest)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 1);
        Assert.Empty(Find(recording).Classes.Inversions());
    }
}
