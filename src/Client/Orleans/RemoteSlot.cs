using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>A slot in another process: batches travel as bytes, outcomes come to the run's observer. It keeps what is with its silo, for the case that the silo dies.</summary>
/// <remarks>Sending again is always safe: a silo does not execute what it has in hand, and the first outcome of a batch is the one that counts.</remarks>
internal sealed class RemoteSlot(SlotGrant grant, IBatchGrain grain, ClusterRun run, ClientCode code) : Slot(grant, grain)
{
    // Times that a silo may say that it lacks code or arrays which it was sent.
    private const int MostTries = 4;

    // Its code or its arrays are on their way first, which may take minutes: it cannot have been lost.
    private const long NotSent = long.MaxValue;
    private const long MostBytesPerMessage = 8 << 20;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    // A message that was not answered for so long and whose batches its silo does not know has been lost on its way.
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(3);

    private readonly Dictionary<long, Travelling> _inHand = [];
    private readonly List<Message> _messages = [];
    private readonly List<long> _received = [];
    private bool _gone;

    internal override bool IsRemote => true;

    /// <summary>Batches with the silo or on their way to it.</summary>
    internal int InHandCount
    {
        get
        {
            lock (_inHand)
            {
                return _inHand.Count;
            }
        }
    }

    internal override void Send(CallBatch batch)
    {
        try
        {
            batch.Payload ??= run.Encode(batch);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
            return;
        }

        var alone = false;
        bool gone;
        lock (_inHand)
        {
            gone = _gone;
            if (!gone)
            {
                alone = _inHand.Count == 0;
                _inHand[batch.Handle] = new Travelling(batch, NotSent, Accepted: false);
            }
        }

        if (gone)
        {
            run.Resend(batch, died: false);
        }
        else if (alone && run.AwaitsOutcomes)
        {
            // Nothing else is on its way here, and batches are over at once: this one's outcome comes with the answer, and later batches do not wait for it.
            _ = SendMessageAsync([batch], awaitsOutcome: true);
        }
        else
        {
            base.Send(batch);
        }
    }

    internal override void Forget(CallBatch batch) => TryTake(batch);

    /// <summary>Whether the batch was still awaited here: true once.</summary>
    internal bool TryTake(CallBatch batch)
    {
        lock (_inHand)
        {
            return _inHand.Remove(batch.Handle);
        }
    }

    /// <summary>The silo has left: all that was with it.</summary>
    internal IReadOnlyList<CallBatch> TakeAll()
    {
        lock (_inHand)
        {
            _gone = true;
            _messages.ForEach(message => message.Lost.TrySetResult());
            CallBatch[] batches = [.. _inHand.Values.Select(travelling => travelling.Batch)];
            _inHand.Clear();
            return batches;
        }
    }

    /// <summary>The batches that are neither with the silo nor on their way, by what the silo says.</summary>
    internal IReadOnlyList<CallBatch> TakeLost(HashSet<long> inHandThere, long askedAt)
    {
        lock (_inHand)
        {
            foreach (var message in _messages.Where(message => Stopwatch.GetElapsedTime(message.SentAt, askedAt) > LostAfter))
            {
                // The silo answers and its answer to the message does not come: the gateway between may have died with either. Later batches must not wait for it.
                message.Lost.TrySetResult();
            }

            CallBatch[] lost =
            [
                .. _inHand.Values
                    .Where(travelling => !inHandThere.Contains(travelling.Batch.Handle)
                        && travelling.Since != NotSent
                        && (travelling.Accepted ? travelling.Since < askedAt : Stopwatch.GetElapsedTime(travelling.Since, askedAt) > LostAfter))
                    .Select(travelling => travelling.Batch),
            ];
            foreach (var batch in lost)
            {
                _inHand.Remove(batch.Handle);
            }

            return lost;
        }
    }

    private protected override async Task SendAsync(List<CallBatch> batches)
    {
        for (var start = 0; start < batches.Count;)
        {
            var end = start;
            for (var bytes = 0L; end < batches.Count && (end == start || bytes + SizeOf(batches[end]) <= MostBytesPerMessage); end++)
            {
                bytes += SizeOf(batches[end]);
            }

            await SendMessageAsync(batches.GetRange(start, end - start), awaitsOutcome: false).ConfigureAwait(false);
            start = end;
        }
    }

    // It has none any more once its outcome has come, from where it was sent before.
    private static int SizeOf(CallBatch batch) => batch.Payload?.Length ?? 0;

    private async Task SendMessageAsync(List<CallBatch> batches, bool awaitsOutcome)
    {
        var tries = 0;
        var beganAt = Stopwatch.GetTimestamp();
        while (true)
        {
            batches.RemoveAll(batch => !IsAwaited(batch));
            if (batches.Count == 0)
            {
                return;
            }

            long[]? received = null;
            try
            {
                var snapshot = run.ShipsCode ? ClientCode.Snapshot() : null;
                var arrays = run.Arrays;
                var opening = arrays?.OpenAsync(Grant.Silo) ?? Task.CompletedTask;
                if (snapshot is not null)
                {
                    await code.Shipper.EnsureAsync(Grant.Silo, snapshot).ConfigureAwait(false);
                }

                await opening.ConfigureAwait(false);
                if (arrays is not null && batches.Exists(batch => batch.Arrays is { References.Count: > 0 }))
                {
                    await EnsureArraysAsync(arrays, batches).ConfigureAwait(false);
                    if (batches.Count == 0)
                    {
                        return;
                    }
                }

                MarkSent(batches);
                received = TakeReceived();
                var request = new RemoteBatchRequest(snapshot?.Manifest.Id ?? default, [.. batches.Select(batch => Describe(batch, arrays))], awaitsOutcome, received, arrays?.Session);
                if (await AnswerAsync(Grain.ExecuteRemoteAsync(request).AsTask()).ConfigureAwait(false) is not { } answer)
                {
                    // What the silo does not have goes elsewhere, what it has is awaited still: sent again, it is taken as accepted.
                    Acknowledge(received ?? []);
                    continue;
                }

                run.Answered(this, answer);
                if (answer.Outcome is { } outcome)
                {
                    run.Receive(this, outcome);
                    return;
                }

                MarkAccepted(answer.Status == BatchStatus.Accepted ? batches : batches.GetRange(0, answer.Accepted));
                if (answer.Status == BatchStatus.Accepted)
                {
                    return;
                }

                batches.RemoveRange(0, answer.Accepted);
                if (answer.Status is BatchStatus.ArraysMissing or BatchStatus.CodeMissing && ++tries < MostTries)
                {
                    if (answer.Status == BatchStatus.ArraysMissing)
                    {
                        arrays?.Forget(Grant.Silo);
                    }
                    else if (snapshot is not null)
                    {
                        code.Shipper.Forget(Grant.Silo, snapshot.Manifest.Id);
                    }

                    continue;
                }

                foreach (var batch in batches.Where(TryTake))
                {
                    run.Refused(this, batch, answer.Status);
                }

                return;
            }
            catch (Exception exception) when (ClusterRun.MayPass(exception) && Stopwatch.GetElapsedTime(beganAt) < run.Lease)
            {
                // The run's watch says when the silo has left; until then, or until the lease ends, it may come back.
                Acknowledge(received ?? []);
                JoblibLog.BatchesNotTaken(Joblib.Logger, exception, batches.Count, Grant.Silo.ToString());
                await Task.Delay(RetryPause).ConfigureAwait(false);
            }
            catch (Exception exception) when (ClusterRun.MayPass(exception))
            {
                // Nobody says that the silo has left (Redis may be away, too), and it was not reached for a lease: others take its batches.
                run.NotReached(this, [.. batches.Where(TryTake)]);
                return;
            }
            catch (Exception exception)
            {
                foreach (var batch in batches.Where(TryTake))
                {
                    batch.Complete(exception);
                }

                return;
            }
        }
    }

    /// <returns>Null when the answer has been lost on its way, or its silo has left.</returns>
    private async Task<BatchAnswer?> AnswerAsync(Task<BatchAnswer> answer)
    {
        var message = new Message(Stopwatch.GetTimestamp(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_inHand)
        {
            _messages.Add(message);
            if (_gone)
            {
                message.Lost.SetResult();
            }
        }

        await Task.WhenAny(answer, message.Lost.Task).ConfigureAwait(false);
        lock (_inHand)
        {
            _messages.Remove(message);
        }

        return answer.IsCompleted ? await answer.ConfigureAwait(false) : null;
    }

    private RemoteBatch Describe(CallBatch batch, ClusterArrays? arrays) => new(
        batch.Handle, batch.Number, batch.FirstCallIndex, batch.Count, batch.Payload ?? [], batch.Scope.Timeout, batch.Scope.NestingLevel, batch.Span?.Id,
        batch.Arrays is { References.Count: > 0 } ? arrays?.MovedOf(Grant.Silo, batch.Arrays) : null);

    /// <summary>Brings the batches' large arrays to the silo's host. Those that cannot come fail their batch.</summary>
    private async Task EnsureArraysAsync(ClusterArrays arrays, List<CallBatch> batches)
    {
        foreach (var batch in batches.ToArray())
        {
            try
            {
                await arrays.EnsureAsync(Grant.Silo, batch.Arrays).ConfigureAwait(false);
            }
            catch (Exception exception) when (!ClusterRun.MayPass(exception))
            {
                batches.Remove(batch);
                ClusterRun.Fail(this, batch, exception);
            }
        }
    }

    private void MarkSent(List<CallBatch> batches)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_inHand)
        {
            foreach (var batch in batches)
            {
                if (_inHand.TryGetValue(batch.Handle, out var travelling) && travelling.Since == NotSent)
                {
                    _inHand[batch.Handle] = travelling with { Since = now };
                }
            }
        }
    }

    /// <summary>Outcomes came with answers: the next message says so.</summary>
    internal void Acknowledge(params ReadOnlySpan<long> handles)
    {
        lock (_inHand)
        {
            _received.AddRange(handles);
        }
    }

    private long[]? TakeReceived()
    {
        lock (_inHand)
        {
            if (_received.Count == 0)
            {
                return null;
            }

            long[] received = [.. _received];
            _received.Clear();
            return received;
        }
    }

    private bool IsAwaited(CallBatch batch)
    {
        lock (_inHand)
        {
            return _inHand.ContainsKey(batch.Handle);
        }
    }

    private void MarkAccepted(List<CallBatch> batches)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_inHand)
        {
            foreach (var batch in batches)
            {
                if (_inHand.ContainsKey(batch.Handle))
                {
                    _inHand[batch.Handle] = new Travelling(batch, now, Accepted: true);
                }
            }
        }
    }

    private readonly record struct Travelling(CallBatch Batch, long Since, bool Accepted);

    private readonly record struct Message(long SentAt, TaskCompletionSource Lost);
}
