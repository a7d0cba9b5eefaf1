using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>An asynchronous sequence that has no next call for now, and a run that ends meanwhile.</summary>
public sealed class StalledSequenceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Before the fix the run waited for the sequence's next call before it ended: the user's exception stayed inside.
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(6, false)]
    public async Task RunAsync_CallThrowsWhileTheSequenceStalls_ThrowsIt(int callsBeforeTheStall, bool watchesItsToken)
    {
        var calls = Channel.CreateUnbounded<Delayed<int>>();
        using var parallel = Parallel(nJobs: 2);
        using var fails = new ManualResetEventSlim();
        for (var i = 1; i < callsBeforeTheStall; i++)
        {
            calls.Writer.TryWrite(Delayed(() => 1));
        }

        calls.Writer.TryWrite(Delayed(int () => fails.Wait(Patience, CancellationToken.None) ? throw new FormatException("from a call") : 0));
        var closed = new TaskCompletionSource();
        var run = parallel.RunAsync(Read(calls.Reader, closed, watchesItsToken), TestContext.Current.CancellationToken);
        fails.Set();
        Assert.Same(run, await Task.WhenAny(run, Task.Delay(Patience, TestContext.Current.CancellationToken)));
        await Assert.ThrowsAsync<FormatException>(() => run);

        if (!watchesItsToken)
        {
            calls.Writer.Complete();
        }

        Assert.Same(closed.Task, await Task.WhenAny(closed.Task, Task.Delay(Patience, TestContext.Current.CancellationToken)));
    }

    // Before the fix the run hung: the turn had been given back while the sequence was being asked for a call, and it does not watch its token.
    [Fact]
    public async Task RunAsync_CallThrowsWhileADeafSequenceIsAskedAhead_ThrowsIt()
    {
        var calls = Channel.CreateUnbounded<Delayed<int>>();
        using var parallel = Parallel(nJobs: 2, preDispatch: 4);
        using var fails = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        using var thirdStarts = new ManualResetEventSlim();
        calls.Writer.TryWrite(Delayed(() => 1));
        calls.Writer.TryWrite(Delayed(int () => fails.Wait(Patience, CancellationToken.None) ? throw new FormatException("from a call") : 0));
        for (var i = 0; i < 3; i++)
        {
            calls.Writer.TryWrite(Delayed(() =>
            {
                thirdStarts.Set();
                return goesOn.Wait(Patience, CancellationToken.None) ? 1 : 0;
            }));
        }

        var closed = new TaskCompletionSource();
        var run = parallel.RunAsync(Read(calls.Reader, closed, watchesItsToken: false), TestContext.Current.CancellationToken);
        thirdStarts.Wait(Patience, TestContext.Current.CancellationToken);
        fails.Set();
        Assert.Same(run, await Task.WhenAny(run, Task.Delay(Patience, TestContext.Current.CancellationToken)));
        await Assert.ThrowsAsync<FormatException>(() => run);
        goesOn.Set();
        calls.Writer.Complete();
        await closed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    // Before the fix the run hung: it waited for the sequence's next call, to close the sequence, before it said that the backend had refused the first.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_BackendRefusesACallWhileTheSequenceStalls_ThrowsItsException(bool watchesItsToken)
    {
        var calls = Channel.CreateUnbounded<Delayed<int>>();
        using var parallel = Parallel(nJobs: 2, backend: new ScriptedBackend { Submitting = _ => throw new FormatException("from Submit") });
        var closed = new TaskCompletionSource();
        calls.Writer.TryWrite(Delayed(() => 1));
        var run = parallel.RunAsync(Read(calls.Reader, closed, watchesItsToken), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<FormatException>(() => run.WaitAsync(Patience, TestContext.Current.CancellationToken));
        if (!watchesItsToken)
        {
            calls.Writer.Complete();
        }

        await closed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    private static async IAsyncEnumerable<Delayed<int>> Read(
        ChannelReader<Delayed<int>> reader,
        TaskCompletionSource closed,
        bool watchesItsToken,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var call in reader.ReadAllAsync(watchesItsToken ? cancellationToken : CancellationToken.None))
            {
                yield return call;
            }
        }
        finally
        {
            closed.SetResult();
        }
    }
}
