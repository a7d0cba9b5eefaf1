namespace Orleans.Joblib;

/// <summary>One run's control: slots, lease, completion order, batch-time heuristic. Its key is the run's id. Batches never pass through it.</summary>
[Alias("Orleans.Joblib.ICoordinatorGrain")]
public interface ICoordinatorGrain : IGrainWithGuidKey
{
    /// <summary>Opens the run and grants slots on the silos with the most free workers. Called again after a loss, it opens the run anew; a run that its client has ended is not opened again, and gets no slots.</summary>
    /// <param name="request">What the client asks for.</param>
    /// <param name="held">The slots that the client holds from before a loss: they keep their numbers where their silos are still there.</param>
    [Alias("Start")]
    Task<RunGrant> StartAsync(RunRequest request, SlotGrant[] held);

    /// <summary>Renews the client's lease.</summary>
    /// <param name="replan">Whether the client met a silo that gives no more slots, or saw one come or go: the grant is made afresh, else only when the cluster's members changed.</param>
    /// <returns>The slots as they are now, silos that joined or left counted in; null when the run is not open here: the client starts it again.</returns>
    [Alias("Renew")]
    Task<RunGrant?> RenewAsync(bool replan);

    /// <summary>Takes in what a silo completed.</summary>
    /// <returns>The advised batch size, in calls.</returns>
    [Alias("Report")]
    Task<int> ReportAsync(BatchReport[] reports);

    /// <summary>Ends the run: queued batches are dropped, workers that still execute one are given up, grains go.</summary>
    /// <param name="last">How far it came; null when the client does not say.</param>
    [Alias("End")]
    Task EndAsync(ClientProgress? last = null);

    /// <summary>The client says how far the run has come, once a second at most.</summary>
    [Alias("Tell")]
    Task TellAsync(ClientProgress progress);

    /// <summary>Cancels the run from outside: its client is told, and its loop fails with <see cref="JoblibException"/>.</summary>
    /// <param name="reason">Who cancels it, and why; for the client's error.</param>
    /// <returns>False when the run was not open any more.</returns>
    [Alias("Cancel")]
    Task<bool> CancelAsync(string reason);

    /// <summary>The run for people who look at the cluster; null when it is not open here.</summary>
    [Alias("GetInfo")]
    Task<RunInfo?> GetInfoAsync();

    /// <summary>What the run has done so far.</summary>
    [Alias("GetStatus")]
    Task<RunStatus> GetStatusAsync();
}
