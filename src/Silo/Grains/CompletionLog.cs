namespace Orleans.Joblib.Silo;

/// <summary>The order in which a run's batches ended: totals for all, numbers for the last of them.</summary>
internal sealed class CompletionLog
{
    private const int Kept = 1024;

    private readonly long[] _recent = new long[Kept];

    internal long Batches { get; private set; }

    internal long Calls { get; private set; }

    internal long FailedBatches { get; private set; }

    internal void Add(BatchReport report)
    {
        _recent[Batches % Kept] = report.Number;
        Batches++;
        Calls += report.Calls;
        FailedBatches += report.Failed ? 1 : 0;
    }

    /// <summary>The last batches, the oldest first.</summary>
    internal long[] Recent()
    {
        var count = (int)Math.Min(Batches, Kept);
        var recent = new long[count];
        for (var i = 0; i < count; i++)
        {
            recent[i] = _recent[(Batches - count + i) % Kept];
        }

        return recent;
    }
}
