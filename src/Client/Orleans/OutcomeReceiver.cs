namespace Orleans.Joblib;

/// <summary>Where silos of other processes bring a run's outcomes. Acknowledges at once; decoding, and whatever the outcomes set off, happens elsewhere.</summary>
internal sealed class OutcomeReceiver(ClusterRun run) : IRunObserver
{
    public Task BatchesEndedAsync(BatchOutcome[] outcomes)
    {
        run.Receive(outcomes);
        return Task.CompletedTask;
    }

    public Task CancelledAsync(string reason)
    {
        run.Cancel(reason);
        return Task.CompletedTask;
    }
}
