namespace Orleans.Joblib;

/// <summary>A batch that came from another process, on a worker here.</summary>
internal static class ExecutableBatch
{
    /// <summary>Decodes the calls, makes them on this thread and hands the outcome to the host. Never throws.</summary>
    internal static void Execute(RemoteBatch request, PayloadCodec codec, RunScope scope, IRemoteBatchHost host) => Execute(request, request.Payload, codec, scope, host);

    /// <inheritdoc cref="Execute(RemoteBatch, PayloadCodec, RunScope, IRemoteBatchHost)"/>
    internal static void Execute(RemoteBatch request, ReadOnlyMemory<byte> payload, PayloadCodec codec, RunScope scope, IRemoteBatchHost host)
    {
        try
        {
            var calls = codec.Decoder.DecodeCalls(payload, host.Arrays);
            if (calls.Count != request.Calls)
            {
                throw new JoblibException("bad-payload", $"Batch {request.Number} says {request.Calls} calls and holds {calls.Count}.");
            }

            calls.Accept(Starter.Instance, (request, scope, host));
        }
        catch (Exception exception)
        {
            host.Ended(OutcomeStatus.Fault, codec.Encoder.EncodeFailure(exception, null));
        }
    }

    private sealed class Starter : IDecodedCallsVisitor<(RemoteBatch Request, RunScope Scope, IRemoteBatchHost Host), bool>
    {
        internal static readonly Starter Instance = new();

        public bool Visit<T>(DecodedCalls<T> calls, (RemoteBatch Request, RunScope Scope, IRemoteBatchHost Host) batch)
        {
            new ExecutableBatch<T>(batch.Request, calls, batch.Scope, batch.Host).Run();
            return true;
        }
    }
}
