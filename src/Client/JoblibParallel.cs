using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A parallel loop with its settings: what <c>Joblib.Parallel(…)</c> gives.</summary>
/// <remarks>
/// <para>One run at a time per instance: a second one meanwhile throws <see cref="InvalidOperationException"/>. Several instances may run at once.</para>
/// <para>Workers are kept for 5 s after a run: the instance's next run takes them up again, or that of another instance with equal settings. <c>using</c> ends them
/// when the block does. A run after a longer pause starts new ones, inside <c>using</c> too.
/// Of instances with equal settings whose workers are nobody else's, by a backend object of their own or as <c>"multiprocessing"</c> has them, the last four to run keep
/// theirs.</para>
/// <para>A call that throws ends the run: no further call starts, and the call's own exception reaches the caller, with
/// <see cref="CallFailureExtensions.GetCallFailure"/> for index, arguments and remote stack. Use <see cref="Delayed{T}.AsOutcome"/> to keep failures as values.</para>
/// <para>joblib 1.6: <c>Parallel</c>.</para>
/// </remarks>
public sealed class JoblibParallel : IDisposable, IAsyncDisposable
{
    private readonly RunSettings _settings;
    private readonly bool _streams;
    private readonly bool _elsewhere;
    private readonly Lock _gate = new();
    private ParallelBackend? _unconfigured;
    private Action? _stop;
    private bool _running;
    private bool _disposed;

    internal JoblibParallel(ParallelArguments arguments)
    {
        _settings = arguments.Resolve(out var backend);
        _unconfigured = backend;
        _streams = backend.SupportsReturnGenerator;
        _elsewhere = backend.RunsElsewhere;
    }

    /// <summary>Makes the calls and gives their results in the order of the sequence.</summary>
    /// <param name="calls">The calls; taken lazily, as far ahead as <c>preDispatch</c> and the batch size say, one thread at a time.</param>
    /// <param name="cancellationToken">Ends the run: calls that have not started will not, and those that took a token are told.</param>
    /// <returns>One result per call.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled, or this instance was disposed meanwhile.</exception>
    /// <exception cref="TimeoutException">A call ran longer than <c>timeout</c>.</exception>
    /// <exception cref="ArgumentException">A call is <c>default</c>, calls return <see cref="ValueTask"/>, or <c>preDispatch</c> gives less than 1 for this number of jobs.</exception>
    /// <exception cref="InvalidOperationException">This instance is running already.</exception>
    /// <exception cref="ObjectDisposedException">This instance was disposed before.</exception>
    /// <exception cref="JoblibException">The backend could not do its part.</exception>
    public T[] Run<T>(IEnumerable<Delayed<T>> calls, CancellationToken cancellationToken = default) => Wait(StartAsync(calls, cancellationToken));

    /// <inheritdoc cref="Run{T}(IEnumerable{Delayed{T}}, CancellationToken)"/>
    public T[] Run<T>(IAsyncEnumerable<Delayed<T>> calls, CancellationToken cancellationToken = default) => Wait(StartAsync(calls, cancellationToken));

    /// <inheritdoc cref="Run{T}(IEnumerable{Delayed{T}}, CancellationToken)"/>
    /// <remarks>With one job the calls are made on a thread-pool thread, one after the other.</remarks>
    public Task<T[]> RunAsync<T>(IEnumerable<Delayed<T>> calls, CancellationToken cancellationToken = default) =>
        WaitAsync(StartAsync(calls, cancellationToken), cancellationToken);

    /// <inheritdoc cref="RunAsync{T}(IEnumerable{Delayed{T}}, CancellationToken)"/>
    public Task<T[]> RunAsync<T>(IAsyncEnumerable<Delayed<T>> calls, CancellationToken cancellationToken = default) =>
        WaitAsync(StartAsync(calls, cancellationToken), cancellationToken);

    /// <summary>Makes the calls and gives their results while later calls are still being made.</summary>
    /// <param name="calls">The calls; the first are dispatched before this returns, as far as the sequence has them ready. With one job none is made before it is read.</param>
    /// <param name="returnAs">The order of the results. Default: the sequence's.</param>
    /// <param name="maxUnconsumed">
    /// Calls that may be dispatched beyond those whose results were taken, 1 or more: memory is bounded by it, and batches are made small enough for it.
    /// Default: a bound in batches instead, twice what <c>preDispatch</c> gives; four per job with <c>"all"</c>.
    /// A call that takes long at the head of an ordered stream holds the others back once the bound is reached.
    /// </param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>A sequence to be read once. Leaving it early cancels what is left and warns. A failure is thrown at its next step, ahead of results that wait.</returns>
    /// <exception cref="NotSupportedException">The backend cannot stream.</exception>
    /// <exception cref="InvalidOperationException">This instance is running already.</exception>
    /// <remarks>With one job each step makes one call, on the thread that asks for it, and the instance may be used otherwise until the first step.</remarks>
    public IEnumerable<T> Stream<T>(
        IEnumerable<Delayed<T>> calls, ReturnAs returnAs = ReturnAs.Generator, int? maxUnconsumed = null, CancellationToken cancellationToken = default) =>
        StreamOf(Block(StartStreamAsync(calls, returnAs, maxUnconsumed, cancellationToken)));

    /// <inheritdoc cref="Stream{T}(IEnumerable{Delayed{T}}, ReturnAs, int?, CancellationToken)"/>
    public IEnumerable<T> Stream<T>(
        IAsyncEnumerable<Delayed<T>> calls, ReturnAs returnAs = ReturnAs.Generator, int? maxUnconsumed = null, CancellationToken cancellationToken = default) =>
        StreamOf(Block(StartStreamAsync(calls, returnAs, maxUnconsumed, cancellationToken)));

    /// <inheritdoc cref="Stream{T}(IEnumerable{Delayed{T}}, ReturnAs, int?, CancellationToken)"/>
    public IAsyncEnumerable<T> StreamAsync<T>(
        IEnumerable<Delayed<T>> calls, ReturnAs returnAs = ReturnAs.Generator, int? maxUnconsumed = null, CancellationToken cancellationToken = default) =>
        AsyncStreamOf(StartStreamAsync(calls, returnAs, maxUnconsumed, cancellationToken));

    /// <inheritdoc cref="StreamAsync{T}(IEnumerable{Delayed{T}}, ReturnAs, int?, CancellationToken)"/>
    public IAsyncEnumerable<T> StreamAsync<T>(
        IAsyncEnumerable<Delayed<T>> calls, ReturnAs returnAs = ReturnAs.Generator, int? maxUnconsumed = null, CancellationToken cancellationToken = default) =>
        AsyncStreamOf(StartStreamAsync(calls, returnAs, maxUnconsumed, cancellationToken));

    /// <summary>Ends a run in progress, whose caller gets <see cref="OperationCanceledException"/>, and the workers. Does not wait for calls that ignore their token.</summary>
    /// <remarks>A run with one job, whose calls its caller's own thread makes, goes on: the token of that run ends it.</remarks>
    public void Dispose() => Block(DisposeAsync());

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Action? stop;
        lock (_gate)
        {
            _disposed = true;
            stop = _stop;
        }

        // A run in progress gives its backend back when it has ended, and finds the instance disposed.
        stop?.Invoke();
        await KeptBackends.EndOwnedAsync(this).ConfigureAwait(false);
    }

    /// <summary>As joblib prints it: <c>Parallel(n_jobs=2)</c>.</summary>
    public override string ToString() => $"Parallel(n_jobs={_settings.Backend.Settings.NJobs})";

    private ValueTask<Started<T>> StartAsync<T>(IEnumerable<Delayed<T>> calls, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return StartAsync(() => CallSource<T>.From(calls), ResultOrder.Array, null, cancellationToken);
    }

    private ValueTask<Started<T>> StartAsync<T>(IAsyncEnumerable<Delayed<T>> calls, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(calls);
        return StartAsync(() => CallSource<T>.From(calls, cancellationToken), ResultOrder.Array, null, cancellationToken);
    }

    private ValueTask<Started<T>> StartStreamAsync<T>(IEnumerable<Delayed<T>> calls, ReturnAs returnAs, int? maxUnconsumed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(calls);
        CheckStream(returnAs, maxUnconsumed);
        return StartAsync(() => CallSource<T>.From(calls), OrderOf(returnAs), maxUnconsumed, cancellationToken);
    }

    private ValueTask<Started<T>> StartStreamAsync<T>(IAsyncEnumerable<Delayed<T>> calls, ReturnAs returnAs, int? maxUnconsumed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(calls);
        CheckStream(returnAs, maxUnconsumed);
        return StartAsync(() => CallSource<T>.From(calls, cancellationToken), OrderOf(returnAs), maxUnconsumed, cancellationToken);
    }

    private static ResultOrder OrderOf(ReturnAs returnAs) => returnAs == ReturnAs.Generator ? ResultOrder.Submission : ResultOrder.Completion;

    private void CheckStream(ReturnAs returnAs, int? maxUnconsumed)
    {
        ParallelArguments.CheckDefined<ReturnAs>(returnAs, nameof(returnAs));
        if (maxUnconsumed < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(maxUnconsumed), maxUnconsumed, $"maxUnconsumed must not be '{maxUnconsumed}'. Use '1' or more calls.");
        }

        if (!_streams)
        {
            throw new NotSupportedException($"The backend '{_settings.Backend.Choice.Name}' cannot stream results. Use Run, or another backend.");
        }
    }

    private async ValueTask<Started<T>> StartAsync<T>(
        Func<CallSource<T>> open, ResultOrder order, int? maxUnconsumed, CancellationToken cancellationToken)
    {
        RefuseAwaitables<T>();
        Enter();
        CallSource<T>? source = null;
        ConfiguredBackend? backend = null;
        Activity? span = null;

        // A loop inside a call of the same silo needs the worker that its caller occupies.
        var lent = _elsewhere ? CallThreads.Lend() : null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_settings.Backend.Settings.NJobs != 1)
            {
                (backend, span) = await ConfigureAsync(cancellationToken).ConfigureAwait(false);
            }

            var runsHere = backend is null || backend.Backend is SequentialBackend || (backend.NJobs == 1 && !backend.Backend.RunsElsewhere);
            WarnAboutTimeout(runsHere ? null : backend);
            source = open();
            if (runsHere)
            {
                lent?.Dispose();
                JoblibInstruments.Discard(span);
                return Sequential(source, backend, order, cancellationToken);
            }

            var run = new ParallelRun<T>(
                _settings,
                backend!,
                span,
                source,
                order,
                maxUnconsumed,
                (ended, reusable) =>
                {
                    lent?.Dispose();
                    Release(ended, reusable);
                },
                cancellationToken);
            // From here it is the run's to end.
            span = null;
            run.Start();
            bool disposed;
            lock (_gate)
            {
                // A run that could not begin has been released already, perhaps to another.
                _stop = run.Ended ? _stop : run.Stop;
                disposed = _disposed;
            }

            if (disposed)
            {
                // Until now there was no run to stop.
                run.Stop();
            }

            run.Dispatch();
            return new Started<T>(run, null);
        }
        catch (Exception exception)
        {
            JoblibInstruments.Failed(span, exception);
            try
            {
                if (source is not null)
                {
                    await source.CloseAsync().ConfigureAwait(false);
                }
            }
            finally
            {
                lent?.Dispose();
                Release(backend, reusable: true);
            }

            throw;
        }
    }

    private Started<T> Sequential<T>(CallSource<T> source, ConfiguredBackend? backend, ResultOrder order, CancellationToken cancellationToken)
    {
        if (order == ResultOrder.Array)
        {
            return new Started<T>(null, new SequentialRun<T>(_settings, source, () => Release(backend, reusable: true), null, cancellationToken));
        }

        // A sequential stream runs only while it is read: one that is never read must not keep the instance busy.
        Release(backend, reusable: true);
        return new Started<T>(null, new SequentialRun<T>(_settings, source, () => Release(null, reusable: true), Enter, cancellationToken));
    }

    /// <summary>The backend, and the run's span where it had to begin before there was one: opening a run on a cluster belongs to it.</summary>
    private async ValueTask<(ConfiguredBackend Backend, Activity? Span)> ConfigureAsync(CancellationToken cancellationToken)
    {
        var key = _settings.Backend;
        if (KeptBackends.TryTake(key, this) is { } kept)
        {
            return (kept, null);
        }

        var backend = Interlocked.Exchange(ref _unconfigured, null) ?? key.Choice.Create(key.NestingLevel);
        var span = JoblibInstruments.StartRun(backend.Name);
        try
        {
            return (await ConfiguredBackend.CreateAsync(key, backend, cancellationToken).ConfigureAwait(false), span);
        }
        catch (Exception exception)
        {
            JoblibInstruments.Failed(span, exception);
            throw;
        }
    }

    private void Enter()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_running)
            {
                throw new InvalidOperationException(
                    "This Parallel is running already. Wait for the run, read its stream to the end or dispose it, or use another Parallel.");
            }

            _running = true;
        }
    }

    private void Release(ConfiguredBackend? backend, bool reusable)
    {
        bool disposed;
        lock (_gate)
        {
            _running = false;
            _stop = null;
            disposed = _disposed;
        }

        if (backend is null)
        {
            return;
        }

        if (reusable && !disposed)
        {
            KeptBackends.Keep(backend, this);
        }
        else
        {
            KeptBackends.End(backend, this);
        }
    }

    private void WarnAboutTimeout(ConfiguredBackend? backend)
    {
        if (_settings.Timeout is { } timeout && backend is not { Backend.SupportsTimeout: true })
        {
            JoblibLog.TimeoutNotSupported(Joblib.Logger, backend?.Backend.Name ?? BackendRegistry.Sequential, timeout);
        }
    }

    private static void RefuseAwaitables<T>()
    {
        if (typeof(T) == typeof(ValueTask) || (typeof(T).IsGenericType && typeof(T).GetGenericTypeDefinition() == typeof(ValueTask<>)))
        {
            throw new ArgumentException("The calls return ValueTask, which nothing would await. Return a Task: '() => f(x).AsTask()' or 'async () => await f(x)'.");
        }
    }

    private static T[] Wait<T>(ValueTask<Started<T>> starting)
    {
        var started = Block(starting);
        if (started.Sequential is { } sequential)
        {
            return [.. sequential.Results()];
        }

        var run = started.Parallel!;
        run.Ending.GetAwaiter().GetResult();
        return run.Results();
    }

    private static async Task<T[]> WaitAsync<T>(ValueTask<Started<T>> starting, CancellationToken cancellationToken)
    {
        var started = await starting.ConfigureAwait(false);
        if (started.Sequential is { } sequential)
        {
            return await Task.Run(
                async () =>
                {
                    var results = new List<T>();
                    await foreach (var result in sequential.ResultsAsync(CancellationToken.None).ConfigureAwait(false))
                    {
                        results.Add(result);
                    }

                    return results.ToArray();
                },
                CancellationToken.None).ConfigureAwait(false);
        }

        var run = started.Parallel!;
        await run.Ending.ConfigureAwait(false);
        return run.Results();
    }

    private static IEnumerable<T> StreamOf<T>(Started<T> started) =>
        started.Sequential is { } sequential ? new SequentialStream<T>(sequential) : new ResultStream<T>(started.Parallel!);

    private static IAsyncEnumerable<T> AsyncStreamOf<T>(Started<T> started) =>
        started.Sequential is { } sequential ? new SequentialStream<T>(sequential) : new ResultStream<T>(started.Parallel!);

    private static IAsyncEnumerable<T> AsyncStreamOf<T>(ValueTask<Started<T>> starting) =>
        starting.IsCompleted ? AsyncStreamOf(starting.GetAwaiter().GetResult()) : StartedLater(OpenAsync(starting));

    // The stream is made when the run has started, not when it is first read: one that is never read is collected like any other.
    private static async Task<IAsyncEnumerable<T>> OpenAsync<T>(ValueTask<Started<T>> starting) => AsyncStreamOf(await starting.ConfigureAwait(false));

    private static async IAsyncEnumerable<T> StartedLater<T>(Task<IAsyncEnumerable<T>> opening, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IAsyncEnumerable<T> stream;
        try
        {
            stream = await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _ = LeaveWhenOpenAsync(opening);
            throw;
        }

        await foreach (var result in stream.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return result;
        }
    }

    // Its only reader has gone: until the collector found it, it would keep its workers and its Parallel.
    private static async Task LeaveWhenOpenAsync<T>(Task<IAsyncEnumerable<T>> opening)
    {
        // One of a run with one job has not begun.
        if (await opening.ConfigureAwait(false) is ResultStream<T> stream)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static TResult Block<TResult>(ValueTask<TResult> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    internal static void Block(ValueTask task)
    {
        if (task.IsCompleted)
        {
            task.GetAwaiter().GetResult();
        }
        else
        {
            task.AsTask().GetAwaiter().GetResult();
        }
    }

    private readonly record struct Started<T>(ParallelRun<T>? Parallel, SequentialRun<T>? Sequential);
}
