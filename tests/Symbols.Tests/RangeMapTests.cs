using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Symbols.Tests;

/// <summary>The flattened map against the definition: of the ranges that contain an address, the one that starts last.</summary>
public sealed class RangeMapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_innermost_range_is_found(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            var entries = new List<RangeMap.Entry>();
            for (int i = random.Next(12); i >= 0; i--)
            {
                ulong start = (ulong)random.Next(40);
                entries.Add(new RangeMap.Entry(AddressRange.FromSize(start, (ulong)random.Next(15)), i));
            }
            var map = new RangeMap([.. entries]);
            Assert.True(map.SegmentCount <= entries.Count * 2);
            for (ulong address = 0; address < 60; address++)
            {
                int expected = entries.Where(entry => entry.Range.Contains(address))
                    .OrderByDescending(entry => entry.Range.Start).ThenBy(entry => entry.Range.End).ThenBy(entry => entry.Value)
                    .Select(entry => entry.Value).FirstOrDefault(-1);
                Assert.Equal((address, expected), (address, map.TryFind(address, out int value) ? value : -1));
            }
        }
    }

    [Fact]
    public void The_last_addresses_are_found()
    {
        var map = new RangeMap([new RangeMap.Entry(AddressRange.FromSize(ulong.MaxValue - 4, 100), 7)]);
        Assert.True(map.TryFind(ulong.MaxValue - 1, out int value) && value == 7);
        Assert.False(map.TryFind(4, out _));
    }
}
