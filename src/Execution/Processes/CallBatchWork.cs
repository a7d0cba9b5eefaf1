namespace Orleans.Joblib;

/// <summary>A batch of this process's own in a process pool.</summary>
internal sealed class CallBatchWork : PoolWork
{
    private readonly CallBatch _batch;
    private readonly PayloadCodec _codec;
    private readonly PayloadBound _bound;
    private readonly RunArrays? _arrays;
    private BatchArrays? _sent;

    private CallBatchWork(PoolLease lease, CallBatch batch, PayloadCodec codec, PayloadBound bound, RunArrays? arrays, BatchArrays? sent, RemoteBatch request)
        : base(lease, request)
    {
        _batch = batch;
        _codec = codec;
        _bound = bound;
        _arrays = arrays;
        _sent = sent;
    }

    internal override bool IsUnwanted => _batch.Ending.IsCancellationRequested;

    internal override string FirstCallText => _batch.FirstCallText;

    internal override bool NamesArrays => _sent is { References.Count: > 0 };

    /// <exception cref="CannotTravelException">A call holds what cannot leave this process.</exception>
    internal static CallBatchWork Of(PoolLease lease, CallBatch batch, PayloadCodec codec, PayloadBound bound, RunArrays? arrays)
    {
        var sent = arrays?.NewBatch();
        var payload = batch.Encode(codec.Encoder, sent);
        JoblibInstruments.PayloadSent(payload.Length);
        bound.Saw(batch.Count, payload.Length + (sent?.NewBytes ?? 0));
        return new CallBatchWork(lease, batch, codec, bound, arrays, sent, new RemoteBatch(
            PoolLease.NewHandle(), batch.Number, batch.FirstCallIndex, batch.Count, payload, batch.Scope.Timeout, batch.Scope.NestingLevel, batch.Span?.Id));
    }

    internal override void Take(OutcomeStatus status, ReadOnlyMemory<byte> payload, TimeSpan queued)
    {
        // No worker looks for them any more.
        _sent = null;
        try
        {
            _batch.StartedAfter(queued);
            switch (status)
            {
                case OutcomeStatus.Completed:
                    var before = _arrays?.Results.TakenBytes ?? 0;
                    _batch.TakeResults(payload, _codec.Decoder, _arrays?.Results);

                    // Those of batches that are taken at the same time may count, too: batches are then smaller than they need be.
                    _bound.Saw(_batch.Count, payload.Length + (_arrays?.Results.TakenBytes ?? 0) - before);
                    _batch.Complete();
                    break;
                case OutcomeStatus.Failed:
                    _batch.TakeFailure(payload, _codec.Decoder);
                    _batch.Complete();
                    break;
                default:
                    _batch.Complete(_codec.Decoder.DecodeFailure(payload));
                    break;
            }
        }
        catch (Exception exception)
        {
            _batch.Complete(exception);
        }
    }

    internal override void Fail(Exception fault) => _batch.Complete(fault);

    internal override void Drop() => _batch.Complete();

    internal override IReadOnlyList<PoolWork>? Split()
    {
        var calls = _batch.SplitCalls();
        try
        {
            return calls?.Select(call => Of(Lease, call, _codec, _bound, _arrays)).ToList();
        }
        catch (Exception exception)
        {
            // An argument has changed since it was first encoded, say. The batch is its calls by now: one of them tells the run.
            calls![0].Complete(exception);
            throw;
        }
    }
}
