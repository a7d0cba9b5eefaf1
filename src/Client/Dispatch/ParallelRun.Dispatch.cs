namespace Orleans.Joblib;

/// <summary>The dispatching half: who may take batches from the sequence, when, and how they reach the backend.</summary>
internal sealed partial class ParallelRun<T>
{
    // Called with _gate held.
    private bool TryTakeTurn()
    {
        if (_dispatching || _ended || !(MayDispatch() || MayLookAhead()))
        {
            return false;
        }

        return _dispatching = true;
    }

    // Called with _gate held.
    private bool MayDispatch() => (_preDispatching || _credits > 0) && HasRoom();

    // Called with _gate held. A stream without room still looks what comes next: when that is the end, nobody has to take its results for it to be over.
    private bool MayLookAhead() => _credits > 0 && !_reader.HasBatches;

    // Called with _gate held. Results that nobody has taken hold back new calls, so that a stream's memory is bounded by its consumer, not by the sequence.
    private bool HasRoom()
    {
        if (_order == ResultOrder.Array)
        {
            return true;
        }

        var outstanding = _dispatchedBatches - _consumedBatches;
        if (_maxUnconsumed is { } most)
        {
            // Whoever asks has the turn or may take it, so the reader is his to look at.
            return outstanding == 0 || _dispatchedCalls - _consumedCalls + _reader.NextCount <= most;
        }

        return outstanding < _defaultWindow;
    }

    void IThreadPoolWorkItem.Execute() => DispatchInCallersContext();

    private void DispatchInCallersContext()
    {
        // The sequence is the caller's code: it runs in the caller's context, on whatever thread has the turn.
        ExecutionContext.Run(_callerContext, static run => _ = ((ParallelRun<T>)run!).DispatchAsync(), this);
    }

    /// <summary>Dispatches while it may, then gives the turn back. Never throws: what the sequence or the backend throws fails the run.</summary>
    private async Task DispatchAsync()
    {
        try
        {
            while (await NextBatchAsync().ConfigureAwait(false) is { } batch)
            {
                _observer.BatchDispatched(batch);
                _backend.Backend.Submit(batch);
            }
        }
        catch (Exception exception)
        {
            // The end waits for the closing that follows, though not for ever: whoever catches the run's exception finds his sequence closed, if it can be closed.
            Fail(exception);
            await CloseSourceAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The next batch to dispatch, counted as dispatched; null when the turn was given back.</summary>
    private async ValueTask<CallBatch<T>?> NextBatchAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_ended)
                {
                    break;
                }

                _observer.PrintBatchSize();

                // Pre-dispatch is over when its calls are out, or when a stream's bound is met first: from then on a batch that ends brings the next.
                if (_preDispatching && (_reader.PreDispatched || !HasRoom()))
                {
                    _preDispatching = false;
                }

                // An exhausted sequence needs no credit to be closed: one that gave no call at all will never get one.
                if (!_reader.Exhausted && !MayDispatch() && !MayLookAhead())
                {
                    _dispatching = false;
                    return null;
                }

                if (_reader.TryTake(out var batch))
                {
                    _credits -= _preDispatching ? 0 : 1;
                    _dispatchedBatches++;
                    _dispatchedCalls += batch.Count;
                    _watched?.Add(batch);
                    if (_order != ResultOrder.Completion)
                    {
                        _inOrder.Enqueue(batch);
                    }

                    return batch;
                }
            }

            if (!_reader.Exhausted)
            {
                await _reader.ReadAsync(this, _scope, _preDispatching).ConfigureAwait(false);
                continue;
            }

            await _reader.CloseAsync().ConfigureAwait(false);
            bool finished;
            lock (_gate)
            {
                // The turn is kept: nothing is left to dispatch.
                _drained = true;
                finished = TryFinish();
            }

            if (finished)
            {
                await EndAsync(closesSource: false).ConfigureAwait(false);
            }

            return null;
        }

        await CloseSourceAsync().ConfigureAwait(false);
        return null;
    }
}
