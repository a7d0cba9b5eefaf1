using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

[Collection(ProcessWideCollection.Name)]
public sealed class BatchSizeLineTests
{
    // joblib 1.6: from verbose 10, in the run's own format and to the run's own stream. Before the fix: from 60, bare, to standard output.
    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    public void Run_BatchSizeSteps_PrintsALineFromVerboseTen(int verbose, bool prints)
    {
        var lines = ErrorLines(() =>
        {
            using var parallel = Parallel(nJobs: 2, backend: new QuickBackend(), verbose: verbose);
            parallel.Run(Enumerable.Range(0, 100).Select(i => Delayed(() => i)));
        });
        Assert.Equal(prints, lines.Contains("[Parallel(n_jobs=2)]: Batch computation too fast (0.05s.) Setting batch_size=2.\n", StringComparison.Ordinal));
    }

    private static string ErrorLines(Action work)
    {
        var before = Console.Error;
        using var lines = new StringWriter { NewLine = "\n" };
        Console.SetError(lines);
        try
        {
            work();
        }
        finally
        {
            Console.SetError(before);
        }

        return lines.ToString();
    }

    private sealed class QuickBackend : AutoBatchingBackend
    {
        public override int EffectiveNJobs(int nJobs) => nJobs;

        public override void BatchCompleted(int batchSize, TimeSpan duration) => base.BatchCompleted(batchSize, TimeSpan.FromSeconds(0.05 * batchSize));

        public override void Submit(CallBatch batch)
        {
            batch.Execute();
            batch.Complete();
        }
    }
}
