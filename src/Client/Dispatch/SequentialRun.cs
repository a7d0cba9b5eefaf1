using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Orleans.Joblib;

/// <summary>A run with one job: calls are made on the consumer's own thread, as many taken ahead from the sequence as a batch holds.</summary>
/// <remarks>joblib 1.6: <c>Parallel._get_sequential_output</c>.</remarks>
internal sealed class SequentialRun<T>(RunSettings settings, CallSource<T> source, Action released, Action? entered, CancellationToken cancellationToken)
{
    private readonly ProgressPrinter? _printer = settings.Verbose > 0
        ? new ProgressPrinter(settings.Backend.Settings.NJobs, settings.Verbose, source.Length, 1)
        : null;

    private readonly Activity? _activity = JoblibInstruments.StartRun(BackendRegistry.Sequential)?.SetTag("joblib.n_jobs", 1);
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly Delayed<T>[] _ahead = new Delayed<T>[settings.BatchSize.IsAuto ? 1 : settings.BatchSize.Calls];
    private long _completed;
    private long _failed;
    private bool _entered;

    internal IEnumerable<T> Results()
    {
        var completed = false;
        try
        {
            Enter();
            while (Read() is var count and > 0)
            {
                for (var i = 0; i < count; i++)
                {
                    yield return Make(_ahead[i]);
                }
            }

            completed = true;
        }
        finally
        {
            JoblibParallel.Block(EndAsync(completed));
        }
    }

    internal async IAsyncEnumerable<T> ResultsAsync([EnumeratorCancellation] CancellationToken consumer = default)
    {
        var completed = false;
        try
        {
            Enter();
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, consumer);
            while (await ReadAsync(consumer).ConfigureAwait(false) is var count and > 0)
            {
                for (var i = 0; i < count; i++)
                {
                    yield return await MakeAsync(_ahead[i], linked.Token, consumer).ConfigureAwait(false);
                }
            }

            completed = true;
        }
        finally
        {
            await EndAsync(completed).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the sequence of a run whose first result nobody asked for: there is no iterator then whose end would. Otherwise it does nothing.</summary>
    internal ValueTask LeaveAsync() => _entered ? ValueTask.CompletedTask : EndAsync(completed: false);

    /// <inheritdoc cref="LeaveAsync"/>
    internal void Leave() => JoblibParallel.Block(LeaveAsync());

    private void Enter()
    {
        entered?.Invoke();
        _entered = true;
    }

    private int Read()
    {
        var read = ReadAsync(CancellationToken.None);
        return read.IsCompleted ? read.GetAwaiter().GetResult() : read.AsTask().GetAwaiter().GetResult();
    }

    private ValueTask<int> ReadAsync(CancellationToken consumer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        consumer.ThrowIfCancellationRequested();
        return source.Exhausted ? new(0) : source.ReadAsync(_ahead, _ahead.Length, began: null, hasCalls: false);
    }

    private T Make(Delayed<T> call)
    {
        cancellationToken.ThrowIfCancellationRequested();
        T value;
        try
        {
            value = call.Invoke(cancellationToken);
        }
        catch (Exception exception)
        {
            value = Keep(call, exception, CancellationToken.None);
            return Made(value, failed: 1);
        }

        return Made(value, failed: 0);
    }

    private async ValueTask<T> MakeAsync(Delayed<T> call, CancellationToken either, CancellationToken consumer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        consumer.ThrowIfCancellationRequested();
        T value;
        try
        {
            value = await call.InvokeAsync(either).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            value = Keep(call, exception, consumer);
            return Made(value, failed: 1);
        }

        return Made(value, failed: 0);
    }

    private T Keep(Delayed<T> call, Exception exception, CancellationToken consumer)
    {
        if (exception is OperationCanceledException)
        {
            // The run's own end is no failure of a call that obeyed its token; the caller sees the token that he cancelled, not one of ours.
            ThrowIfCancelled(exception, cancellationToken);
            ThrowIfCancelled(exception, consumer);
        }

        var failure = CallFailure.Describe(exception, _completed, call.ToString());
        if (call.TryKeepFailure(exception, failure, out var value))
        {
            return value;
        }

        Report(1, 1);
        ExceptionDispatchInfo.Throw(exception);
        return default;
    }

    private static void ThrowIfCancelled(Exception exception, CancellationToken token)
    {
        if (token.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, token);
        }
    }

    private T Made(T value, int failed)
    {
        _completed++;
        Report(0, failed);
        _printer?.Running(_completed, _completed, Stopwatch.GetElapsedTime(_startedAt));
        return value;
    }

    private void Report(int ended, int failed)
    {
        _failed += failed;
        settings.Progress?.Report(new RunProgress(_completed + ended, _failed, _completed + ended, source.Length, Stopwatch.GetElapsedTime(_startedAt)));
    }

    private async ValueTask EndAsync(bool completed)
    {
        var closed = false;
        try
        {
            await CloseAsync(completed).ConfigureAwait(false);
            closed = true;
        }
        finally
        {
            End(completed && closed);
        }
    }

    private async ValueTask CloseAsync(bool completed)
    {
        try
        {
            await source.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (!completed)
        {
            // The run already has its failure; a second one, from closing the sequence, must not hide it.
            JoblibLog.SourceNotClosed(Joblib.Logger, exception);
        }
    }

    private void End(bool completed)
    {
        if (!_entered)
        {
            // Nobody asked for a result, or another run has the instance: it is not this one's to free.
            JoblibInstruments.Discard(_activity);
            return;
        }

        var elapsed = Stopwatch.GetElapsedTime(_startedAt);
        if (completed)
        {
            _printer?.Finished(_completed, elapsed);
        }

        JoblibInstruments.RunEnded(BackendRegistry.Sequential, completed ? "completed" : "failed", elapsed);
        _activity?.SetStatus(completed ? ActivityStatusCode.Ok : ActivityStatusCode.Error);
        _activity?.Dispose();
        released();
    }
}
