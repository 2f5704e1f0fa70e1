namespace Vmm.Snapshots;

/// <summary>A part of the machine whose state is saved and restored by named fields. Memory pages are saved elsewhere.</summary>
public interface ISnapshotted
{
    /// <summary>The part's name in a snapshot: "pic", "uart0". Unique in a machine.</summary>
    string SnapshotName { get; }

    void Save(StateWriter writer);

    /// <summary>Takes over a saved state, timers and line levels included, whatever the state before.</summary>
    void Restore(StateReader reader);
}
