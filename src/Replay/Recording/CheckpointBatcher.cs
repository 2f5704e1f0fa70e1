using System;
using Replay.Checkpoints;
using Vmm.Memory;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Hands a checkpoint's pages over to its writer, in batches of bounded size. Used by one thread.</summary>
internal sealed class CheckpointBatcher(CheckpointWriter writer)
{
    private CheckpointBatch _batch = new();

    /// <summary>Copies a page; pages of a memory come in ascending order, and memories in the machine's.</summary>
    public void Add(int memoryIndex, int pageIndex, ReadOnlySpan<byte> content)
    {
        // A booting kernel clears much of its memory: looking costs less than copying.
        bool isZero = PageHash.IsZero(content);
        if (!isZero)
        {
            int inSlab = _batch.CopiedCount % CheckpointWriter.PagesPerSlab;
            if (inSlab == 0)
            {
                if (_batch.CopiedCount == CheckpointBatch.MaxPages) Send();
                _batch.Slabs.Add(writer.RentSlab());
            }
            content.CopyTo(_batch.Slabs[^1].AsSpan(inSlab * PagedMemory.PageSizeBytes));
            _batch.CopiedCount++;
        }
        _batch.Pages.Add((memoryIndex, pageIndex, isZero));
    }

    /// <summary>That were all pages of the checkpoint.</summary>
    public void Finish(int index, Position position, ulong guestNanoseconds, ulong sequence, byte[] state)
    {
        _batch.IsLast = true;
        _batch.Index = index;
        _batch.Position = position;
        _batch.GuestNanoseconds = guestNanoseconds;
        _batch.Sequence = sequence;
        _batch.State = state;
        Send();
    }

    private void Send()
    {
        writer.Enqueue(_batch);
        _batch = new CheckpointBatch();
    }
}
