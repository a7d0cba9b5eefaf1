using System.Globalization;

namespace Orleans.Joblib;

/// <summary>joblib's progress lines: to standard error, from verbose 50 to standard output. Used under its run's lock.</summary>
/// <remarks>joblib 1.6: <c>Parallel.print_progress</c>, <c>Parallel._print</c>, <c>_verbosity_filter</c>, <c>logger.short_format_time</c>.</remarks>
/// <param name="nJobs">The jobs as they were asked for, −1 included: the name that joblib gives its lines.</param>
/// <param name="verbose">How many lines, 1 or more.</param>
/// <param name="length">The sequence's length, if it is known.</param>
/// <param name="preDispatched">Calls of the pre-dispatch; 0 when it is all of them.</param>
internal sealed class ProgressPrinter(int nJobs, int verbose, long? length, long preDispatched)
{
    /// <summary>The verbosity from which the choice of a backend and the steps of the automatic batch size are printed.</summary>
    internal const int BackendVerbosity = 10;

    private const int StandardOutputVerbosity = 50;
    private const int UnknownLengthWidth = 3;

    private readonly int _width = length is > 0 ? length.Value.ToString(CultureInfo.InvariantCulture).Length : UnknownLengthWidth;

    internal void Started(string backend, int workers) => Print($"Using backend {backend} with {workers} concurrent workers.");

    internal void Finished(long completed, TimeSpan elapsed) =>
        Print($"Done {Pad(completed)} out of {Pad(completed)} | elapsed: {Format(elapsed)} finished");

    /// <summary>A line when the automatic batch size steps; the duration is written as Python writes a float.</summary>
    internal void BatchSizeChanged(BatchSizeChange change)
    {
        if (verbose >= BackendVerbosity)
        {
            var seconds = change.Duration.TotalSeconds.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
            Print($"Batch computation too {(change.TooFast ? "fast" : "slow")} ({seconds}s.) Setting batch_size={change.BatchSize}.");
        }
    }

    /// <summary>A line while the sequence still gives calls.</summary>
    internal void Running(long completed, long dispatchedBatches, TimeSpan elapsed)
    {
        if (Skips(dispatchedBatches))
        {
            return;
        }

        if (length is > 0)
        {
            Print($"Done {Pad(completed)} out of {Pad(length.Value)} | elapsed: {Format(elapsed)}");
        }
        else
        {
            var pad = new string(' ', "out of ".Length + _width - "tasks".Length);
            Print($"Done {Pad(completed)} tasks {pad}| elapsed: {Format(elapsed)}");
        }
    }

    /// <summary>A line once the sequence is exhausted and the number of calls known.</summary>
    internal void Draining(long completed, long dispatched, TimeSpan elapsed)
    {
        if (completed != 0)
        {
            var cursor = dispatched - completed + 1 - preDispatched;
            var frequency = (dispatched / verbose) + 1;
            if (completed + 1 == dispatched || cursor % frequency != 0)
            {
                return;
            }
        }

        var remaining = elapsed / Math.Max(completed, 1) * (dispatched - completed);
        Print($"Done {Pad(completed)} out of {Pad(dispatched)} | elapsed: {Format(elapsed)} remaining: {Format(remaining)}");
    }

    internal static string Format(TimeSpan time) => time.TotalSeconds > 60
        ? (time.TotalSeconds / 60).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(4) + "min"
        : " " + time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + "s";

    private bool Skips(long batches)
    {
        if (verbose > 10)
        {
            return false;
        }

        if (batches == 0)
        {
            return false;
        }

        var step = 0.5 * (11 - verbose) * (11 - verbose);
        return (long)Math.Sqrt((batches + 1) / step) == (long)Math.Sqrt(batches / step);
    }

    private string Pad(long number) => number.ToString(CultureInfo.InvariantCulture).PadLeft(_width);

    private void Print(string message)
    {
        var writer = verbose < StandardOutputVerbosity ? Console.Error : Console.Out;
        writer.WriteLine($"[Parallel(n_jobs={nJobs})]: {message}");
    }
}
