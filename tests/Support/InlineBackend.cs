namespace Orleans.Joblib.Tests;

/// <summary>A third party's backend that executes and completes within Submit: on joblib this recursed.</summary>
public class InlineBackend : ParallelBackend
{
    public override int EffectiveNJobs(int nJobs) => LocalNJobs(nJobs);

    public override void Submit(CallBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Execute();
        batch.Complete();
    }
}
