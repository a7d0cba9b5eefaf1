namespace Orleans.Joblib;

/// <summary>The places that are free on a run's slots. A slot that has nothing to do comes before one that would only queue the batch. Used under the run's lock.</summary>
/// <remarks>A slot that is idle stands in <c>_idle</c>; one that has some places left stands once in <c>_partly</c>, where it may stay when that has changed.</remarks>
internal sealed class SlotPlaces(int perSlot)
{
    private readonly Queue<Slot> _idle = new();
    private readonly Queue<Slot> _partly = new();

    internal void Add(Slot slot)
    {
        slot.FreePlaces = perSlot;
        _idle.Enqueue(slot);
    }

    internal void Free(Slot slot)
    {
        if (++slot.FreePlaces == perSlot)
        {
            _idle.Enqueue(slot);
        }
        else
        {
            List(slot);
        }
    }

    internal Slot? TryTake()
    {
        while (_idle.TryDequeue(out var slot))
        {
            if (!slot.Closed && slot.FreePlaces == perSlot)
            {
                return Take(slot);
            }
        }

        while (_partly.TryDequeue(out var slot))
        {
            slot.IsListed = false;
            if (!slot.Closed && slot.FreePlaces > 0)
            {
                return Take(slot);
            }
        }

        return null;
    }

    /// <summary>Takes a place on a slot that has one.</summary>
    internal Slot Take(Slot slot)
    {
        slot.FreePlaces--;
        List(slot);
        return slot;
    }

    private void List(Slot slot)
    {
        if (slot is { FreePlaces: > 0, IsListed: false })
        {
            slot.IsListed = true;
            _partly.Enqueue(slot);
        }
    }
}
