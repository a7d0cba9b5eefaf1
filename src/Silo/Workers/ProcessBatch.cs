namespace Orleans.Joblib.Silo;

/// <summary>A client's batch in a worker process of its silo: bytes go there and bytes come back. One thread of the silo waits for it.</summary>
internal sealed class ProcessBatch(PoolLease lease, RemoteBatch request, PayloadCodec codec, SiloRunArrays? arrays, IReadOnlyDictionary<string, string>? moved) : PoolWork(lease, request with { Handle = PoolLease.NewHandle() })
{
    private readonly TaskCompletionSource<(OutcomeStatus Status, byte[] Payload)> _ending = new();

    private string? _goneResult;

    /// <summary>The large arrays of its results; null when there are none.</summary>
    internal KeptResults? Results { get; private set; }

    internal override IReadOnlyDictionary<string, string>? MovedArrays => moved;

    internal override string FirstCallText => $"the first of {Request.Calls}";

    /// <summary>Waits for its outcome. It comes: from the worker, by the worker's death, or when the run's lease is over.</summary>
    internal (OutcomeStatus Status, byte[] Payload) Outcome() => _ending.Task.GetAwaiter().GetResult();

    internal override void TakeArrays(IReadOnlyList<string> paths)
    {
        try
        {
            Results = arrays is null ? null : KeptResults.TryOf(paths, arrays.Settings);
            _goneResult = Results is null ? paths[0] : null;
        }
        catch (Exception exception) when (exception is JoblibException or IOException or UnauthorizedAccessException)
        {
            _goneResult = exception.Message;
        }
    }

    internal override void Take(OutcomeStatus status, ReadOnlyMemory<byte> payload, TimeSpan queued)
    {
        if (_goneResult is { } gone)
        {
            Fail(new JoblibException("array-gone", $"A worker process left a large result where its silo does not find it: {gone}"));
        }
        else
        {
            _ending.TrySetResult((status, payload.ToArray()));
        }
    }

    internal override void Fail(Exception fault) => _ending.TrySetResult((OutcomeStatus.Fault, codec.Encoder.EncodeFailure(fault, null)));

    internal override void Drop() => _ending.TrySetResult((OutcomeStatus.NotExecuted, []));

    // The client has the calls, and takes the batch apart; here they are bytes.
    internal override bool EndWithWorker(int processId, WorkerExit exit)
    {
        var death = new TerminatedWorkerException($"process {processId} on '{Environment.MachineName}' ({exit})" + (exit.LastWords.Length > 0 ? $", whose last words were '{exit.LastWords}'" : ""));
        _ending.TrySetResult((OutcomeStatus.WorkerDied, codec.Encoder.EncodeFailure(death, null)));
        return true;
    }

    internal override IReadOnlyList<PoolWork>? Split() => null;
}
