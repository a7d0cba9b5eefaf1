using System.Runtime.CompilerServices;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(20, 1)]
    [InlineData(39, 1)]
    [InlineData(0, 8)]
    [InlineData(20, 8)]
    [InlineData(39, 8)]
    public void Run_OneCallThrows_ThrowsTheUsersExceptionWithItsCall(int failing, int batchSize)
    {
        using var parallel = NewParallel(batchSize: batchSize);
        var thrown = Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(FailAt, i, failing)))));
        Assert.Equal(failing, thrown.Code);
        Assert.Equal(["first", "second"], thrown.Hints);
        Assert.Contains(nameof(ThrowForUser), thrown.StackTrace, StringComparison.Ordinal);

        var failure = thrown.GetCallFailure();
        Assert.NotNull(failure);
        Assert.Equal(failing, failure.CallIndex);
        Assert.Contains($"{nameof(FailAt)}({failing}, {failing})", failure.Call, StringComparison.Ordinal);
        Assert.Contains(nameof(ThrowForUser), failure.StackTrace, StringComparison.Ordinal);
        Assert.Equal(Traits.RunsCallsInThisProcess, failure.Worker.Contains($"/{Environment.ProcessId}/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_OneCallThrows_ThrowsTheUsersException()
    {
        await using var parallel = NewParallel();
        var thrown = await Assert.ThrowsAsync<UserException>(() => parallel.RunAsync(Enumerable.Range(0, 40).Select(i => Delayed(FailAt, i, 11))).WaitAsync(Patience.Limit));
        Assert.Equal(11, thrown.GetCallFailure()?.CallIndex);
    }

    [Fact]
    public void Run_CapturingCallThrows_FailureNamesTheCaptures()
    {
        var number = 17;
        var word = "seventeen";
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() => number > 1 ? throw new UserException(number, [word]) : word)]));
        var call = Assert.IsType<UserException>(thrown).GetCallFailure()!.Call;
        Assert.Contains("number = 17", call, StringComparison.Ordinal);
        Assert.Contains("word = 'seventeen'", call, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ExceptionAndArgumentThatCannotBePutInWords_FailTheRunAlone()
    {
        using var parallel = NewParallel();
        var thrown = Assert.IsType<MuteException>(Patience.ThrownBy(() => parallel.Run([Delayed(FailWith, new Mute(), 5)])));
        Assert.Equal($"{nameof(ParallelConformance)}.{nameof(FailWith)}(, 5)", thrown.GetCallFailure()?.Call);
        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_AsynchronousCallThrows_ThrowsTheUsersException(bool beforeItsFirstAwait)
    {
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 10).Select(i => Delayed(async () =>
        {
            if (!beforeItsFirstAwait)
            {
                await Task.Yield();
            }

            return FailAt(i, 6);
        }))));
        var failure = Assert.IsType<UserException>(thrown).GetCallFailure();
        Assert.Equal(6, failure?.CallIndex);
        Assert.Contains(nameof(ThrowForUser), failure?.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OneCallThrows_NoFurtherCallStarts()
    {
        const int Failing = 3;
        using var meeting = new Rendezvous();

        // No more in flight than surely run: a call that waits for the failure must not keep the failing one from a worker.
        using var parallel = NewParallel(preDispatch: NJobs, batchSize: 1);
        var sequence = new CountedSequence<int>(Enumerable.Range(0, 10_000).Select(i => Delayed(token =>
        {
            meeting.Add("started");
            if (i == Failing)
            {
                throw new UserException(i, []);
            }

            if (i > Failing)
            {
                // Calls behind the failing one end only because the run tells them to.
                Patience.AwaitCancelled(token);
            }

            return i;
        })));
        Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run((IEnumerable<Delayed<int>>)sequence)));

        // One more was dispatched for each of the three that ended; look-ahead is a batch per job.
        Assert.InRange(meeting.Count("started"), 1, Failing + NJobs);
        Assert.InRange(sequence.Taken, Failing + 1, Failing + NJobs + NJobs);
        Assert.Equal(1, sequence.Closed);
    }

    [Fact]
    public void Run_AfterAFailure_TheInstanceWorksAgain()
    {
        using var parallel = NewParallel();
        for (var time = 0; time < 5; time++)
        {
            Assert.IsType<UserException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(FailAt, i, 7)))));
            Assert.Equal(Enumerable.Range(0, 20).Select(Square), Patience.Within(() => parallel.Run(Squares(20))));
        }
    }

    [Fact]
    public void Run_CallThrowsACancellationOfItsOwn_ThrowsIt()
    {
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 5).Select(i => Delayed(() => i == 2 ? throw new OperationCanceledException("mine") : i))));
        Assert.Equal("mine", Assert.IsType<OperationCanceledException>(thrown).Message);
        Assert.Equal(2, thrown.GetCallFailure()?.CallIndex);
    }

    [Fact]
    public void Run_NullCall_ThrowsNamingItsIndex()
    {
        using var parallel = NewParallel();
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 30).Select(i => i == 13 ? default : Delayed(Square, i))));
        Assert.Contains("13", Assert.IsType<ArgumentException>(thrown).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_AsOutcome_KeepsFailuresBesideResults()
    {
        using var parallel = NewParallel();
        var outcomes = Patience.Within(() => parallel.Run(Enumerable.Range(0, 60).Select(i => Delayed(FailAt, i, i % 7 == 3 ? i : -1).AsOutcome())));
        Assert.Equal(60, outcomes.Length);
        for (var i = 0; i < outcomes.Length; i++)
        {
            Assert.Equal(i % 7 != 3, outcomes[i].IsSuccess);
            if (outcomes[i].IsSuccess)
            {
                Assert.Equal(i, outcomes[i].Value);
                Assert.Null(outcomes[i].Failure);
                continue;
            }

            Assert.Equal(i, Assert.IsType<UserException>(outcomes[i].Exception).Code);
            Assert.Equal(i, outcomes[i].Failure?.CallIndex);
            var again = Assert.Throws<UserException>(() => outcomes[i].Value);
            Assert.Contains(nameof(ThrowForUser), again.StackTrace, StringComparison.Ordinal);
        }
    }

    private static int FailAt(int number, int failing) => number == failing ? ThrowForUser(number) : number;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ThrowForUser(int number) => throw new UserException(number, ["first", "second"]);

    private static int FailWith(Mute mute, int number) => throw new MuteException();

    private sealed class Mute : IFormattable
    {
        public string ToString(string? format, IFormatProvider? formatProvider) => null!;
    }

#pragma warning disable CA1032
    private sealed class MuteException : Exception
#pragma warning restore CA1032
    {
        public override string Message => throw new FormatException("from Message");

        public override string? StackTrace => throw new FormatException("from StackTrace");
    }
}
