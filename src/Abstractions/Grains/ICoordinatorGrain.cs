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
    [Alias("End")]
    Task EndAsync();

    /// <summary>What the run has done so far.</summary>
    [Alias("GetStatus")]
    Task<RunStatus> GetStatusAsync();
}
