namespace Replay.Checkpoints;

/// <summary>
/// What a page map holds for each page. Positive numbers name pages of the recording's page store, in the order in which they were stored;
/// negative ones name pages of a <see cref="PagePool"/> in memory and never reach a file.
/// </summary>
internal static class PageId
{
    /// <summary>4,096 zero bytes.</summary>
    public const int Zero = 0;
    /// <summary>What the disk's image has there. RAM has no image: its untouched pages are zero.</summary>
    public const int Base = 1;
    /// <summary>The first page of the store.</summary>
    public const int FirstStored = 2;
}
