namespace Orleans.Joblib;

/// <summary>What became of a batch in a worker process, and of the worker.</summary>
/// <param name="Handle">The batch.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Payload">Its results, or its failure, encoded.</param>
/// <param name="Executed">How long the worker had it.</param>
/// <param name="Leaving">Whether the worker takes more.</param>
/// <param name="ResidentBytes">What it occupies, when that is why it leaves.</param>
/// <param name="FirstResidentBytes">What it occupied after its first batch.</param>
/// <param name="Arrays">The files of large arrays of the results, which the worker keeps until it hears that they were taken; null for none.</param>
internal readonly record struct WorkerOutcome(
    long Handle,
    OutcomeStatus Status,
    ReadOnlyMemory<byte> Payload,
    TimeSpan Executed,
    LeaveReason Leaving = LeaveReason.None,
    long ResidentBytes = 0,
    long FirstResidentBytes = 0,
    string[]? Arrays = null);
