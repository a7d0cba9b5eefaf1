using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>Calls that travel together: what a backend gets, executes somewhere and completes.</summary>
/// <remarks>
/// A backend calls <see cref="Execute"/> once and then <see cref="Complete"/> once, both on any thread. Nothing here throws for what the user's calls do.
/// joblib 1.6: <c>BatchedCalls</c> with its <c>BatchCompletionCallBack</c>.
/// </remarks>
public abstract class CallBatch : IWorkItem
{
    private int _completed;

    private protected CallBatch(IBatchOwner owner, RunScope scope, long number, long firstCallIndex, int count)
    {
        Owner = owner;
        Scope = scope;
        Number = number;
        FirstCallIndex = firstCallIndex;
        Count = count;
    }

    /// <summary>The batch's place in the order of dispatch within its run, from 0; a part that was cut off a batch has that batch's number.</summary>
    public long Number { get; }

    /// <summary>The place of its first call in the user's sequence, from 0.</summary>
    public long FirstCallIndex { get; }

    /// <summary>How many calls it was made with, at least 1.</summary>
    public int Count { get; }

    /// <summary>Cancelled when the run ends early: a backend may then drop a batch that it has not started, and completes it all the same.</summary>
    public CancellationToken Ending => Scope.Ending;

    internal IBatchOwner Owner { get; }

    internal RunScope Scope { get; }

    object IOwned.Owner => Owner;

    internal bool IsCompleted => Volatile.Read(ref _completed) != 0;

    /// <summary>Whether a call overran its timeout here: whoever still executes it is given up.</summary>
    internal bool IsAbandoned { get; private protected set; }

    /// <summary>Who brought it to a silo; null on other backends.</summary>
    internal IBatchCarrier? Carrier { get; set; }

    /// <summary>The slot that its carrier gave it to; the carrier's own.</summary>
    internal object? Slot { get; set; }

    /// <summary>Whether it occupies a place of that slot; the carrier's own.</summary>
    internal bool HoldsPlace { get; set; }

    /// <summary>How often a silo sent it back because its run had ended there; the carrier's own.</summary>
    internal int Refusals { get; set; }

    /// <summary>How many silos died with it; the carrier's own.</summary>
    internal int Deaths { get; set; }

    /// <summary>Its calls as bytes while it is on its way to another process; the carrier's own.</summary>
    internal byte[]? Payload { get; set; }

    /// <summary>The large arrays that <see cref="Payload"/> refers to; the carrier's own.</summary>
    internal BatchArrays? Arrays { get; set; }

    /// <summary>Encodes results that stay in this process, to refuse what could not travel; null where nobody asks for that, or where they do travel.</summary>
    internal PayloadEncoder? ResultVerifier { get; set; }

    /// <summary>Its handle among this process's batches while it is with a silo; 0 otherwise.</summary>
    internal long Handle { get; set; }

    /// <summary>Other workers that may take over a part; null on backends without any.</summary>
    internal IWorkSharer? Sharer { get; set; }

    /// <summary>When the batch was handed to the backend, in the scope's timestamps.</summary>
    internal long DispatchedAt { get; set; }

    /// <summary>When a worker took it up; 0 until then.</summary>
    internal long StartedAt { get; private set; }

    /// <summary>Whether its outcome has come in; set and read by its run.</summary>
    internal bool Delivered { get; set; }

    /// <summary>The caller's span in another process; default when the caller is in this one.</summary>
    internal ActivityContext Parent { get; init; }

    /// <summary>The caller's span for this batch, if anyone listens.</summary>
    internal Activity? Span { get; set; }

    /// <summary>The first failure of its calls, or null.</summary>
    internal FailedCall? Failure { get; private protected set; }

    /// <summary>Makes the calls in order on this thread, in the context of the run's caller. Blocks until the last has ended, one has thrown, or the run has ended.</summary>
    /// <remarks>Never throws. Call it on a thread that may be busy for as long as the calls take, not on a scheduler that others wait for.</remarks>
    public void Execute()
    {
        if (IsCompleted)
        {
            return;
        }

        StartedAt = Scope.Time.GetTimestamp();
        ExecutionContext.Run(WorkerThreads.Current?.ContextOf(Scope) ?? Scope.Context, static batch => ((CallBatch)batch!).ExecuteInContext(), this);
    }

    /// <summary>Tells the run that the backend is done with this batch. The first call counts, later ones are ignored.</summary>
    /// <param name="fault">Why the backend could not execute it; null after <see cref="Execute"/>. A fault fails the run.</param>
    public void Complete(Exception? fault = null)
    {
        if (ClaimCompletion())
        {
            TellOwner(fault);
        }
    }

    void IWorkItem.Run(IWorkSharer sharer)
    {
        Sharer = sharer;
        Execute();
        Complete();
    }

    /// <summary>The first call as text, for messages.</summary>
    internal abstract string FirstCallText { get; }

    /// <summary>The calls as bytes.</summary>
    /// <param name="encoder">The run's.</param>
    /// <param name="arrays">Where large arrays go; among the bytes when null.</param>
    /// <exception cref="CannotTravelException">A call holds what cannot leave this process.</exception>
    internal abstract byte[] Encode(PayloadEncoder encoder, IArraySink? arrays = null);

    /// <summary>Takes a batch that runs nowhere apart: its calls one by one, each with its outcome to come. Null when it is a single call.</summary>
    internal abstract IReadOnlyList<CallBatch>? SplitCalls();

    /// <summary>Takes the results of calls that were made in another process; <see cref="Complete"/> follows.</summary>
    internal abstract void TakeResults(ReadOnlyMemory<byte> payload, PayloadDecoder decoder, IArraySource? arrays = null);

    /// <summary>Takes the files of large arrays in the results that come next, by the names that their payload has.</summary>
    /// <exception cref="JoblibException">One is gone.</exception>
    internal virtual void TakeArrays(IReadOnlyDictionary<string, string> files)
    {
    }

    /// <summary>Takes the failure of a call that was made in another process; <see cref="Complete"/> follows.</summary>
    internal virtual void TakeFailure(ReadOnlyMemory<byte> payload, PayloadDecoder decoder)
    {
        var exception = decoder.DecodeFailure(payload);
        var failure = CallFailure.Of(exception) ?? throw new JoblibException("bad-payload", $"The failure of batch {Number} does not say which call it is of.");
        Failure = new FailedCall(exception, failure);
        if (Scope.ReportsCalls)
        {
            Owner.CallEnded(failed: true);
        }
    }

    /// <summary>When a worker in another process took it up, reckoned from its dispatch.</summary>
    internal void StartedAfter(TimeSpan queued) => StartedAt = DispatchedAt + (long)(queued.TotalSeconds * Scope.Time.TimestampFrequency);

    private protected abstract void MakeCalls();

    private protected abstract void TellOwner(Exception? fault);

    private protected bool ClaimCompletion()
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0)
        {
            return false;
        }

        Carrier?.Ended(this);
        return true;
    }

    private void ExecuteInContext()
    {
        using var activity = JoblibInstruments.StartExecute(Span?.Context ?? (Parent == default ? Scope.Activity : Parent), Count);
        MakeCalls();
        if (Failure is { } failure)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure.Exception.GetType().FullName);
        }
    }
}
