namespace Orleans.Joblib;

/// <summary>A granted slot as the client sees it, with the batches that are on their way to it. One message at a time: what comes while it is under way goes with the next.</summary>
internal sealed class Slot(SlotGrant grant, IBatchGrain grain, ClusterRun run)
{
    private readonly Lock _gate = new();
    private List<CallBatch> _waiting = [];
    private List<CallBatch> _sent = [];
    private bool _sending;

    internal SlotGrant Grant => grant;

    internal IBatchGrain Grain => grain;

    internal void Send(CallBatch batch)
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

            var handles = new long[batches.Count];
            for (var i = 0; i < handles.Length; i++)
            {
                handles[i] = batches[i].Handle;
            }

            try
            {
                var answer = await grain.ExecuteAsync(new BatchRequest(LocalBatches.Process, handles)).ConfigureAwait(false);
                run.Answered(this, batches, answer);
            }
            catch (Exception exception)
            {
                foreach (var batch in batches)
                {
                    batch.Complete(exception);
                }
            }

            batches.Clear();
        }
    }
}
