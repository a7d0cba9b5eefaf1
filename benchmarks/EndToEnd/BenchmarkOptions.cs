namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>What the command line said.</summary>
internal sealed record BenchmarkOptions
{
    internal required string Backend { get; init; }

    /// <summary>Calls of a run; null for the workload's own number.</summary>
    internal required int? Calls { get; init; }

    /// <summary>Calls made at once; null for the workload's own number.</summary>
    internal required int? NJobs { get; init; }

    internal required int Runs { get; init; }

    internal required int WarmUps { get; init; }

    internal required BatchSize BatchSize { get; init; }

    internal required bool Peers { get; init; }

    internal required string Python { get; init; }

    internal int NJobsOrCores => NJobs ?? Environment.ProcessorCount;
}
