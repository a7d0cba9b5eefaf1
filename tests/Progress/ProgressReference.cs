namespace Orleans.Joblib.Tests;

/// <summary>joblib 1.6's two filters of progress lines, written down again from their description.</summary>
internal static class ProgressReference
{
    /// <summary>Whether a line is left out while the sequence still gives calls.</summary>
    internal static bool SkipsRunning(int batches, int verbose)
    {
        if (verbose > 10 || batches == 0)
        {
            return false;
        }

        var pace = 0.5 * Math.Pow(11 - verbose, 2);
        return (int)Math.Sqrt(batches / pace) == (int)Math.Sqrt((batches + 1) / pace);
    }

    /// <summary>Whether a line is left out once the sequence is exhausted.</summary>
    internal static bool SkipsDraining(int completed, int total, int preDispatched, int verbose)
    {
        if (completed == 0)
        {
            return false;
        }

        var cursor = total - completed + 1 - preDispatched;
        var frequency = (total / verbose) + 1;
        return completed + 1 == total || cursor % frequency != 0;
    }
}
