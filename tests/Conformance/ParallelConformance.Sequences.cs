using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 700)]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 700)]
    public void Run_AnySequence_IsReadByOneThreadAtATimeAndClosedOnce(bool asynchronous, int count)
    {
        var sequence = new CountedSequence<int>(Squares(count));
        using var parallel = NewParallel(batchSize: 1);
        Patience.Within(() => asynchronous ? parallel.Run((IAsyncEnumerable<Delayed<int>>)sequence) : parallel.Run((IEnumerable<Delayed<int>>)sequence));
        Assert.Equal((1, 1, count, 0), (sequence.Opened, sequence.Closed, sequence.Taken, sequence.Overlaps));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 25)]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 25)]
    public void Run_SequenceThrows_ThrowsItsExceptionAndClosesItOnce(bool asynchronous, int after)
    {
        var sequence = new CountedSequence<int>(ThrowAfter(after));
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => _ = asynchronous ? parallel.Run((IAsyncEnumerable<Delayed<int>>)sequence) : parallel.Run((IEnumerable<Delayed<int>>)sequence));
        Assert.Equal(after, Assert.IsType<UserException>(thrown).Code);
        Assert.Null(thrown.GetCallFailure());
        Assert.Equal((1, after, 0), (sequence.Closed, sequence.Taken, sequence.Overlaps));
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Run_SequenceCannotBeOpened_ThrowsItsException()
    {
        using var parallel = NewParallel();
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(new Broken(whenOpened: true))));
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Run_SequenceCannotBeClosed_ThrowsItsExceptionAndClosesItOnce()
    {
        using var parallel = NewParallel();
        var broken = new Broken(whenOpened: false);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(broken)));
        Assert.Equal(1, broken.Closed);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Run_CallThrows_SequenceIsClosedOnce()
    {
        var sequence = new CountedSequence<int>(Enumerable.Range(0, 1000).Select(i => Delayed(FailAt, i, 5)));
        using var parallel = NewParallel(batchSize: 1);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence)));
        Patience.Until(() => sequence.Closed > 0, "the sequence to be closed");
        Assert.Equal((1, 0), (sequence.Closed, sequence.Overlaps));
    }

    [Fact]
    public void Run_SequenceAwaitsWhenACallThrows_SequenceIsTold()
    {
        if (Traits.RunsCallsHere)
        {
            return; // Here the sequence is asked for its next call only when the last has ended.
        }

        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async IAsyncEnumerable<Delayed<int>> Endless([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
        {
            yield return Delayed(FailAt, 0, 0);
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                told.SetResult();
            }
        }

        using var parallel = NewParallel(batchSize: BatchSize.Auto);
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Endless())));
        Patience.Await(told.Task, "the sequence to hear that nobody waits for it");
    }

    private static IEnumerable<Delayed<int>> ThrowAfter(int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return Delayed(Square, i);
        }

        throw new UserException(count, ["the sequence"]);
    }

    private sealed class Broken(bool whenOpened) : IEnumerable<Delayed<int>>, IEnumerator<Delayed<int>>
    {
        private int _taken;

        internal int Closed { get; private set; }

        public Delayed<int> Current => Delayed(Square, _taken);

        object System.Collections.IEnumerator.Current => Current;

        public IEnumerator<Delayed<int>> GetEnumerator() => whenOpened ? throw new UserException(1, ["opening"]) : this;

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

        public bool MoveNext() => _taken++ < 3;

        public void Reset() => throw new NotSupportedException();

        public void Dispose()
        {
            Closed++;
            throw new UserException(2, ["closing"]);
        }
    }
}
