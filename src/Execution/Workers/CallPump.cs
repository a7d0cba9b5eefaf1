namespace Orleans.Joblib;

/// <summary>Runs an asynchronous call on its worker's own thread: what follows an await comes back to the worker, not to the thread pool that a silo lives on.</summary>
/// <remarks>
/// A continuation that arrives while the worker is busy goes to the thread pool instead of waiting. The worker may be blocked on the very task that the
/// continuation completes (<c>.Result</c> inside an asynchronous call), and a pump that queued it would never be reached again.
/// </remarks>
internal sealed class CallPump : SynchronizationContext
{
    private readonly object _gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _continuations = new();
    private bool _waiting;
    private bool _ended;

    internal static T Run<TState, T>(Func<TState, CancellationToken, Task<T>> start, TState state, CancellationToken cancellationToken)
    {
        var previous = Current;
        var pump = new CallPump();
        SetSynchronizationContext(pump);
        try
        {
            var task = start(state, cancellationToken);
            if (!task.IsCompleted)
            {
                // A run that ends frees its worker at once even if the call's task never ends: nothing but this wait holds the thread.
                using var ending = cancellationToken.UnsafeRegister(static p => ((CallPump)p!).End(), pump);
                pump.RunUntil(task);
                if (!task.IsCompleted)
                {
                    throw new OperationCanceledException(cancellationToken);
                }
            }

            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(previous);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_gate)
        {
            if (_waiting)
            {
                _continuations.Enqueue((d, state));
                _waiting = false;
                Monitor.Pulse(_gate);
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static work => work.d(work.state), (d, state), preferLocal: false);
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    private void RunUntil(Task task)
    {
        task.ContinueWith(
            static (_, pump) => ((CallPump)pump!).End(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (true)
        {
            (SendOrPostCallback Callback, object? State) next;
            lock (_gate)
            {
                while (!_continuations.TryDequeue(out next))
                {
                    if (_ended)
                    {
                        return;
                    }

                    _waiting = true;
                    Monitor.Wait(_gate);
                    _waiting = false;
                }
            }

            next.Callback(next.State);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.Pulse(_gate);
        }
    }
}
