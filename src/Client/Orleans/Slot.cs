namespace Orleans.Joblib;

/// <summary>A granted slot as the client sees it, with the batches that are on their way to it. One message at a time: what comes while it is under way goes with the next.</summary>
internal abstract class Slot(SlotGrant grant, IBatchGrain grain)
{
    private readonly Lock _gate = new();
    private List<CallBatch> _waiting = [];
    private List<CallBatch> _sent = [];
    private bool _sending;

    internal SlotGrant Grant => grant;

    internal IBatchGrain Grain => grain;

    /// <summary>Whether it takes no further batch: its silo has left or is going, or the run lost it. Set under its run's lock.</summary>
    internal bool Closed { get; set; }

    /// <summary>Batches that it may still be given at once. For <see cref="SlotPlaces"/>.</summary>
    internal int FreePlaces { get; set; }

    /// <inheritdoc cref="SlotPlaces"/>
    internal bool IsListed { get; set; }

    /// <summary>Whether batches reach it as bytes.</summary>
    internal abstract bool IsRemote { get; }

    internal virtual void Send(CallBatch batch)
    {
        lock (_gate)
        {
            _waiting.Add(batch);
            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        _ = SendAsync();
    }

    /// <summary>A batch has ended: the slot need not know it any more.</summary>
    internal virtual void Forget(CallBatch batch)
    {
    }

    /// <summary>Brings batches to the slot's grain.</summary>
    private protected abstract Task SendAsync(List<CallBatch> batches);

    private async Task SendAsync()
    {
        while (true)
        {
            List<CallBatch> batches;
            lock (_gate)
            {
                batches = _waiting;
                if (batches.Count == 0)
                {
                    _sending = false;
                    return;
                }

                _waiting = _sent;
                _sent = batches;
            }

            try
            {
                await SendAsync(batches).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // A fault of this library. It is told, and later batches are still sent.
                batches.ForEach(batch => batch.Complete(exception));
            }

            batches.Clear();
        }
    }
}
