using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Fact]
    public void Stream_BackendThatCannotStream_IsRefused()
    {
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => _ = parallel.Stream(Squares(3)).ToArray());
        var thrownAsync = Patience.ThrownBy(() => _ = parallel.StreamAsync(Squares(3)));
        if (Traits.SupportsStreams)
        {
            Assert.Null(thrown);
            Assert.Null(thrownAsync);
        }
        else
        {
            Assert.IsType<NotSupportedException>(thrown);
            Assert.IsType<NotSupportedException>(thrownAsync);
        }
    }

    [Theory]
    [InlineData(ReturnAs.Generator, 0)]
    [InlineData(ReturnAs.Generator, 1)]
    [InlineData(ReturnAs.Generator, 2)]
    [InlineData(ReturnAs.Generator, 1500)]
    [InlineData(ReturnAs.GeneratorUnordered, 0)]
    [InlineData(ReturnAs.GeneratorUnordered, 1)]
    [InlineData(ReturnAs.GeneratorUnordered, 2)]
    [InlineData(ReturnAs.GeneratorUnordered, 1500)]
    public async Task Stream_AnySequence_GivesEachResultOnceInTheOrderAskedFor(ReturnAs order, int count)
    {
        if (!Traits.SupportsStreams)
        {
            return; // Stream_BackendThatCannotStream_IsRefused
        }

        await using var parallel = NewParallel();
        var expected = Enumerable.Range(0, count).Select(Square).ToArray();
        List<int>[] all =
        [
            Patience.Within(() => parallel.Stream(Squares(count), order).ToList()),
            Patience.Within(() => parallel.Stream(Slowly(Squares(count)), order).ToList()),
            await Read(parallel.StreamAsync(Squares(count), order)).WaitAsync(Patience.Limit),
            await Read(parallel.StreamAsync(Slowly(Squares(count)), order)).WaitAsync(Patience.Limit),
        ];
        Assert.All(all, results => Assert.Equal(expected, order == ReturnAs.Generator ? results : results.Order()));
    }

    [Fact]
    public void Stream_Unordered_FastCallsOvertakeASlowOne()
    {
        if (!Traits.SupportsStreams || !Traits.RunsCallsAtOnce)
        {
            return; // Nothing overtakes where one call is made at a time.
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1);
        var stream = parallel.Stream(
            Enumerable.Range(0, 10).Select(i => Delayed(() =>
            {
                if (i == 0)
                {
                    meeting.Await("release", "the fast calls to be read");
                }

                return i;
            })),
            ReturnAs.GeneratorUnordered);
        using var results = stream.GetEnumerator();
        var fast = Patience.Within(() => Enumerable.Range(0, 9).Select(_ => results.MoveNext() ? results.Current : -1).ToArray());
        Assert.DoesNotContain(0, fast);
        meeting.Set("release");
        var slow = Patience.Within(() =>
        {
            var rest = new List<int>();
            while (results.MoveNext())
            {
                rest.Add(results.Current);
            }

            return rest;
        });
        Assert.Equal(Enumerable.Range(0, 10), fast.Concat(slow).Order());
        Assert.Equal(0, slow[0]);
    }

    [Fact]
    public async Task Stream_ReadTwice_Throws()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        await using var parallel = NewParallel();
        var stream = parallel.Stream(Squares(3));
        Assert.Equal([0, 1, 4], Patience.Within(stream.ToArray));
        Assert.Throws<InvalidOperationException>(() => stream.ToArray());

        var asynchronous = parallel.StreamAsync(Squares(3));
        Assert.Equal(new[] { 0, 1, 4 }, await Read(asynchronous).WaitAsync(Patience.Limit));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Read(asynchronous).WaitAsync(Patience.Limit));
    }

    [Fact]
    public void Stream_NotYetRead_HasDispatchedItsFirstCalls()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1);
        var stream = parallel.Stream(Enumerable.Range(0, 5).Select(i => Delayed(() =>
        {
            meeting.Set("made");
            return i;
        })));
        if (Traits.RunsCallsHere)
        {
            Assert.False(meeting.IsSet("made"));
        }
        else
        {
            meeting.Await("made", "a call of a stream that nobody reads");
        }

        Assert.Equal(Enumerable.Range(0, 5), Patience.Within(stream.ToArray));
    }

    [Fact]
    public async Task Stream_CallThrows_ThrowsTheUsersExceptionAndFreesTheInstance()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        await using var parallel = NewParallel(batchSize: 1);
        var thrown = Assert.IsType<UserException>(Patience.ThrownBy(() => _ = parallel.Stream(Enumerable.Range(0, 50).Select(i => Delayed(FailAt, i, 9))).ToArray()));
        Assert.Equal(9, thrown.GetCallFailure()?.CallIndex);
        thrown = await Assert.ThrowsAsync<UserException>(
            () => Read(parallel.StreamAsync(Enumerable.Range(0, 50).Select(i => Delayed(FailAt, i, 9)), ReturnAs.GeneratorUnordered)).WaitAsync(Patience.Limit));
        Assert.Equal(9, thrown.GetCallFailure()?.CallIndex);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Fact]
    public void Stream_SequenceThrows_ThrowsItsException()
    {
        if (!Traits.SupportsStreams)
        {
            return;
        }

        using var parallel = NewParallel(batchSize: 1);
        var sequence = new CountedSequence<int>(ThrowAfter(10));
        Assert.Equal(10, Assert.IsType<UserException>(Patience.ThrownBy(() => _ = parallel.Stream((IEnumerable<Delayed<int>>)sequence).ToArray())).Code);
        Patience.Until(() => sequence.Closed > 0, "the sequence to be closed");
        Assert.Equal(1, sequence.Closed);
    }

    [Theory]
    [InlineData((ReturnAs)2, null)]
    [InlineData(ReturnAs.Generator, 0)]
    [InlineData(ReturnAs.Generator, -1)]
    public void Stream_ArgumentOutOfRange_ThrowsBeforeAnyWork(ReturnAs order, int? maxUnconsumed)
    {
        var sequence = new CountedSequence<int>(Squares(3));
        using var parallel = NewParallel();
        Assert.Throws<ArgumentOutOfRangeException>(() => parallel.Stream((IEnumerable<Delayed<int>>)sequence, order, maxUnconsumed));
        Assert.Throws<ArgumentOutOfRangeException>(() => parallel.StreamAsync((IEnumerable<Delayed<int>>)sequence, order, maxUnconsumed));
        Assert.Equal(0, sequence.Opened);
    }
}
