namespace Orleans.Joblib;

/// <summary>A slot in this process: batches pass by reference and bring their outcome themselves.</summary>
internal sealed class LocalSlot(SlotGrant grant, IBatchGrain grain, ClusterRun run) : Slot(grant, grain)
{
    internal override bool IsRemote => false;

    private protected override async Task SendAsync(List<CallBatch> batches)
    {
        var handles = new long[batches.Count];
        for (var i = 0; i < handles.Length; i++)
        {
            handles[i] = batches[i].Handle;
        }

        try
        {
            var answer = await Grain.ExecuteAsync(new BatchRequest(LocalBatches.Process, handles)).ConfigureAwait(false);
            run.Answered(this, answer);
            if (answer.Status != BatchStatus.Accepted)
            {
                foreach (var batch in batches.Skip(answer.Accepted))
                {
                    run.Refused(this, batch, answer.Status);
                }
            }
        }
        catch (Exception exception)
        {
            foreach (var batch in batches)
            {
                batch.Complete(exception);
            }
        }
    }
}
