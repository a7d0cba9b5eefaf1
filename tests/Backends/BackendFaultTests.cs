using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>A backend that breaks its contract fails its run, and only that: nothing hangs, nothing is lost silently, the instance stays usable.</summary>
public sealed class BackendFaultTests
{
    private readonly ScriptedBackend _backend = new();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    public void Submit_Throws_FailsTheRun(int at)
    {
        var submitted = 0;
        _backend.Submitting = batch =>
        {
            if (submitted++ == at)
            {
                throw new UserException(at, ["submit"]);
            }

            // On another thread, so that later batches are submitted from a completion.
            ThreadPool.UnsafeQueueUserWorkItem(
                static batch =>
                {
                    batch.Execute();
                    batch.Complete();
                },
                batch,
                preferLocal: false);
        };
        Assert.Equal(at, Assert.IsType<UserException>(ThrownByRun()).Code);
        AssertUsableAgain();
    }

    [Fact]
    public void Complete_WithAFault_FailsTheRunWithItInside()
    {
        var cause = new UserException(4, ["the wire"]);
        _backend.Submitting = batch => batch.Complete(cause);
        var thrown = Assert.IsType<JoblibException>(ThrownByRun());
        Assert.Same(cause, thrown.InnerException);
        Assert.EndsWith("#backend-fault", thrown.HelpLink, StringComparison.Ordinal);
        AssertUsableAgain();
    }

    [Fact]
    public void Complete_WithoutExecute_FailsTheRun()
    {
        _backend.Submitting = batch => batch.Complete();
        Assert.EndsWith("#batch-not-executed", Assert.IsType<JoblibException>(ThrownByRun()).HelpLink, StringComparison.Ordinal);
        AssertUsableAgain();
    }

    [Fact]
    public void Complete_Twice_CountsOnce()
    {
        _backend.Submitting = batch =>
        {
            batch.Execute();
            batch.Complete();
            batch.Complete();
            batch.Complete(new UserException(1, ["late"]));
        };
        using var parallel = Parallel(2, _backend, batchSize: 1);
        Assert.Equal(Enumerable.Range(0, 50), Patience.Within(() => parallel.Run(Numbers(50))));
        Assert.Equal(50, _backend.BatchSizes.Count);
    }

    [Fact]
    public void Execute_AfterComplete_MakesNoCall()
    {
        var made = 0;
        _backend.Submitting = batch =>
        {
            batch.Execute();
            batch.Complete();
            batch.Execute();
        };
        using var parallel = Parallel(2, _backend, batchSize: 2);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => ++made))));
        Assert.Equal(20, made);
    }

    [Fact]
    public void Complete_AfterTheRunHasEnded_IsIgnored()
    {
        var late = new List<CallBatch>();
        _backend.Submitting = batch =>
        {
            if (batch.Number == 1)
            {
                batch.Complete(new UserException(1, []));
            }
            else
            {
                late.Add(batch);
            }
        };
        Assert.IsType<JoblibException>(ThrownByRun());
        foreach (var batch in late)
        {
            Assert.True(batch.Ending.IsCancellationRequested);
            batch.Execute();
            batch.Complete();
        }

        AssertUsableAgain();
    }

    [Fact]
    public void BatchCompleted_Throws_FailsTheRun()
    {
        _backend.Completed = () => throw new UserException(5, ["completed"]);
        Assert.Equal(5, Assert.IsType<UserException>(ThrownByRun()).Code);
        _backend.Completed = null;
        AssertUsableAgain();
    }

    [Fact]
    public void ComputeBatchSize_Throws_FailsTheRun()
    {
        _backend.Sizing = () => throw new UserException(6, ["size"]);
        Assert.Equal(6, Assert.IsType<UserException>(ThrownByRun(BatchSize.Auto)).Code);
        _backend.Sizing = null;
        AssertUsableAgain();
    }

    [Fact]
    public void StartRun_Throws_FailsTheRun()
    {
        _backend.Starting = () => throw new UserException(7, ["start"]);
        var sequence = new CountedSequence<int>(Numbers(3));
        using (var parallel = Parallel(2, _backend))
        {
            Assert.Equal(7, Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence))).Code);
        }

        Assert.Equal((1, 0), (sequence.Closed, sequence.Taken));
        _backend.Starting = null;
        AssertUsableAgain();
    }

    [Fact]
    public void GetNestedBackend_Throws_FailsTheRun()
    {
        _backend.Nesting = () => throw new UserException(8, ["nested"]);
        Assert.Equal(8, Assert.IsType<UserException>(ThrownByRun()).Code);
        _backend.Nesting = null;
        AssertUsableAgain();
    }

    [Fact]
    public void StopRun_Throws_IsLoggedAndTheResultsStand()
    {
        _backend.Stopping = () => throw new UserException(9, ["stop"]);
        using (var parallel = Parallel(2, _backend))
        {
            Assert.Equal([0, 1, 2], Patience.Within(() => parallel.Run(Numbers(3))));
        }

        // A backend that could not stop is not kept.
        Patience.Until(() => _backend.Events.EndsWith("Terminate", StringComparison.Ordinal), "the backend to be released");
        Assert.True(CapturedLog.Instance.Has(LogLevel.Warning, $"'{nameof(ScriptedBackend)}' could not be aborted"));
        _backend.Stopping = null;
        AssertUsableAgain();
    }

    // Whoever counts runs may throw when one ends: a run that has no other failure fails with that, and none hangs.
    [Fact]
    public void RunEnded_ListenerThrows_FailsTheRun()
    {
        var backend = new ListenedBackend();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Name == "joblib.runs") { self.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (tags.ToArray().Any(tag => tag.Value is nameof(ListenedBackend)))
            {
                throw new UserException(11, ["listener"]);
            }
        });
        listener.Start();
        using var parallel = Parallel(2, backend);
        Assert.Equal(11, Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Numbers(3)))).Code);
        Assert.Equal(1, Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run([Delayed(new Func<int>(() => throw new UserException(1, [])))]))).Code);
        listener.Dispose();
        Assert.Equal([0, 1, 2], Patience.Within(() => parallel.Run(Numbers(3))));
    }

    [Fact]
    public void Dispose_WhileTheBackendIsConfigured_StopsTheRun()
    {
        var configuring = new TaskCompletionSource();
        var configured = new TaskCompletionSource<int>();
        _backend.Configuring = _ =>
        {
            configuring.SetResult();
            return new ValueTask<int>(configured.Task);
        };
        _backend.Submitting = _ => { };
        var parallel = Parallel(2, _backend);
        var running = parallel.RunAsync(Numbers(3));
        Patience.Await(configuring.Task, "the backend to be configured");
        parallel.Dispose();
        configured.SetResult(2);
        Assert.IsAssignableFrom<OperationCanceledException>(Patience.ThrownBy(() => Patience.Await(running, "the run")));
    }

    // Before the fix the run went on for nobody until the collector found its stream: the instance was running already.
    [Fact]
    public async Task StreamAsync_ConsumerCancelsWhileTheBackendIsConfigured_FreesTheInstance()
    {
        var configured = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Configuring = _ => new ValueTask<int>(configured.Task);
        _backend.Submitting = _ => { };
        _backend.Aborting = () =>
        {
            _backend.Submitting = null;
            return ValueTask.CompletedTask;
        };
        using var cancelling = new CancellationTokenSource();
        await using var parallel = Parallel(2, _backend);
        await using var reading = parallel.StreamAsync(Numbers(3)).GetAsyncEnumerator(cancelling.Token);
        var first = reading.MoveNextAsync().AsTask();
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience.Limit));
        configured.SetResult(2);
        Patience.Until(() => _backend.Events.EndsWith("Stop", StringComparison.Ordinal), "the run to be left");
        Patience.Until(() => Patience.ThrownBy(() => Assert.Equal([0, 1], parallel.Run(Numbers(2)))) is not InvalidOperationException, "the instance to be free");
        Assert.EndsWith(" Abort Stop Start Submit1 Submit1 Stop", _backend.Events, StringComparison.Ordinal);
    }

    [Fact]
    public void AbortEverything_Throws_TheUsersExceptionStillArrives()
    {
        _backend.Aborting = () => throw new UserException(10, ["abort"]);
        using (var parallel = Parallel(2, _backend))
        {
            Assert.Equal(1, Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 3).Select(i => Delayed(() => i == 1 ? throw new UserException(i, []) : i))))).Code);
        }

        _backend.Aborting = null;
        AssertUsableAgain();
    }

    [Fact]
    public void AbortEverything_NeverEnds_TheUsersExceptionStillArrives()
    {
        var never = new TaskCompletionSource();
        _backend.Aborting = () => new ValueTask(never.Task);
        Assert.IsType<JoblibException>(ThrownByFault());
        never.SetResult();
        _backend.Aborting = null;
        AssertUsableAgain();

        Exception? ThrownByFault()
        {
            _backend.Submitting = batch => batch.Complete(new UserException(1, []));
            return ThrownByRun();
        }
    }

    [Fact]
    public void Terminate_Throws_IsLoggedAndDisposeReturns()
    {
        _backend.Terminating = () => throw new UserException(11, ["terminate"]);
        using (var parallel = Parallel(2, _backend))
        {
            Assert.Equal([0], Patience.Within(() => parallel.Run(Numbers(1))));
        }

        Assert.True(CapturedLog.Instance.Has(LogLevel.Warning, $"The workers of backend '{nameof(ScriptedBackend)}' could not be released."));
        _backend.Terminating = null;
        AssertUsableAgain();
    }

    [Fact]
    public void Dispose_OfAStream_WaitsForABackendThatAbortsSlowly()
    {
        var aborting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _backend.Aborting = () =>
        {
            aborting.TrySetResult();
            return new ValueTask(aborted.Task);
        };
        using var parallel = Parallel(2, _backend, batchSize: 1);
        _ = Task.Run(async () =>
        {
            await aborting.Task;
            aborted.SetResult();
        });
        Assert.Equal([0], Patience.Within(() => parallel.Stream(Numbers(1000)).Take(1).ToArray()));
        Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Numbers(2))));
    }

    [Fact]
    public void Run_WithATimeoutOnABackendThatSupportsIt_AbandonsTheOverdueBatchAndSubmitsItsRest()
    {
        using var release = new ManualResetEventSlim();
        _backend.Timeouts = true;
        _backend.Submitting = batch => ThreadPool.UnsafeQueueUserWorkItem(
            static batch =>
            {
                batch.Execute();
                batch.Complete();
            },
            batch,
            preferLocal: false);
        using var parallel = Parallel(2, _backend, preDispatch: "all", batchSize: 2, timeout: TimeSpan.FromMilliseconds(100));
        var outcomes = Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(() =>
        {
            if (i == 2)
            {
                Patience.Await(release, "the test");
            }

            return i;
        }).AsOutcome())));
        release.Set();
        Assert.Equal([true, true, false, true], outcomes.Select(outcome => outcome.IsSuccess));
        Assert.Equal("Configure Start Submit2 Submit2 Abandon Submit1 Stop", _backend.Events);
    }

    private Exception? ThrownByRun(BatchSize? batchSize = null)
    {
        using var parallel = Parallel(2, _backend, batchSize: batchSize ?? 1);
        return Patience.ThrownBy(() => parallel.Run(Numbers(20)));
    }

    private void AssertUsableAgain()
    {
        _backend.Submitting = null;
        using var parallel = Parallel(2, _backend);
        Assert.Equal([0, 1, 2], Patience.Within(() => parallel.Run(Numbers(3))));
    }

    private static IEnumerable<Delayed<int>> Numbers(int count) => Enumerable.Range(0, count).Select(i => Delayed(() => i));

    private sealed class ListenedBackend : InlineBackend;
}
