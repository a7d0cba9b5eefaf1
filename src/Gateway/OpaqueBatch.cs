namespace Orleans.Joblib.Gateway;

/// <summary>A batch of another runtime: bytes on the way there, bytes on the way back. Its calls are never made in this process.</summary>
/// <remarks>Everything here is called by the run that carries it, one thing at a time.</remarks>
internal sealed class OpaqueBatch(GatewayRun run, RunScope scope, long clientHandle, long number, long firstCallIndex, int count, byte[] payload, IReadOnlyList<string> arrays)
    : CallBatch(run, scope, number, firstCallIndex, count)
{
    /// <summary>The client's name for it.</summary>
    internal long ClientHandle => clientHandle;

    /// <summary>The worker's results, or the failure of a call; null when neither came.</summary>
    internal byte[]? Outcome { get; private set; }

    /// <summary>Whether <see cref="Outcome"/> is a failure.</summary>
    internal bool HasFailed { get; private set; }

    /// <summary>Whether a worker died with several calls: the client sends them again, one by one.</summary>
    internal bool HasKilled { get; private set; }

    /// <summary>The large arrays of its results.</summary>
    internal IReadOnlyList<HeldFile> Files { get; private set; } = [];

    internal override string FirstCallText => "a call of another runtime";

    internal override byte[] Encode(PayloadEncoder encoder, IArraySink? sink)
    {
        if (sink is BatchArrays references)
        {
            foreach (var path in arrays)
            {
                references.Refer(ArrayReference.ToFile(path));
            }
        }

        return payload;
    }

    internal override IReadOnlyList<CallBatch>? SplitCalls()
    {
        HasKilled = true;
        Complete();
        return null;
    }

    internal override void TakeArrays(IReadOnlyDictionary<string, string> files)
    {
        var held = new List<HeldFile>(files.Count);
        try
        {
            foreach (var (path, file) in files)
            {
                held.Add(HeldFile.Open(path, file));
            }
        }
        catch (Exception)
        {
            held.ForEach(file => file.Dispose());
            throw;
        }

        Files = held;
    }

    internal override void TakeResults(ReadOnlyMemory<byte> payload, PayloadDecoder decoder, IArraySource? arrays) => Outcome = payload.ToArray();

    internal override void TakeFailure(ReadOnlyMemory<byte> payload, PayloadDecoder decoder)
    {
        Outcome = payload.ToArray();
        HasFailed = true;
    }

    private protected override void MakeCalls() => throw new NotSupportedException("Calls of another runtime are made by its worker processes.");

    private protected override void TellOwner(Exception? fault) => Owner.BatchEnded(this, fault);
}
