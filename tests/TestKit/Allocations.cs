using System;
using System.Runtime;
using System.Threading;

namespace TestKit;

/// <summary>How much code allocates, exactly.</summary>
public static class Allocations
{
    private const int Attempts = 50, RegionSizeBytes = 64 << 20;

    // A process has one region without collections at a time.
    private static readonly Lock s_region = new();

    /// <summary>
    /// The bytes that this thread allocates in <paramref name="action"/>. A collection in between, for whatever another thread allocated, would count the rest of this thread's
    /// allocation context (up to 8 KiB) as allocated: then the action is done once more.
    /// </summary>
    /// <exception cref="InvalidOperationException">Other threads caused a collection each time.</exception>
    public static long OfThread(Action action)
    {
        lock (s_region)
        {
            for (int i = 0; i < Attempts; i++)
            {
                if (!GC.TryStartNoGCRegion(RegionSizeBytes)) continue;
                long before = GC.GetAllocatedBytesForCurrentThread();
                action();
                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (GCSettings.LatencyMode != GCLatencyMode.NoGCRegion) continue;
                GC.EndNoGCRegion();
                return allocated;
            }
        }
        throw new InvalidOperationException($"No {Attempts} attempts went by without a collection of garbage.");
    }
}
