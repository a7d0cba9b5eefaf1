using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Fact]
    public void Run_FunctionsOfEveryArity_GetTheirArgumentsInOrder()
    {
        using var parallel = NewParallel();
        var texts = Patience.Within(() => parallel.Run(
        [
            Delayed(() => ""),
            Delayed(a => $"{a}", 1),
            Delayed((a, b) => $"{a}{b}", 1, 2),
            Delayed((a, b, c) => $"{a}{b}{c}", 1, 2, 3),
            Delayed((a, b, c, d) => $"{a}{b}{c}{d}", 1, 2, 3, 4),
            Delayed((a, b, c, d, e) => $"{a}{b}{c}{d}{e}", 1, 2, 3, 4, 5),
            Delayed((a, b, c, d, e, f) => $"{a}{b}{c}{d}{e}{f}", 1, 2, 3, 4, 5, 6),
            Delayed((a, b, c, d, e, f, g) => $"{a}{b}{c}{d}{e}{f}{g}", 1, 2, 3, 4, 5, 6, 7),
            Delayed((a, b, c, d, e, f, g, h) => $"{a}{b}{c}{d}{e}{f}{g}{h}", 1, 2, 3, 4, 5, 6, 7, 8),
        ]));
        Assert.Equal(Enumerable.Range(0, 9).Select(count => "12345678"[..count]), texts);
    }

    [Fact]
    public void Run_AsynchronousFunctionsOfEveryArity_GetTheirArgumentsInOrder()
    {
        static async Task<string> Join(params int[] digits)
        {
            await Task.Yield();
            return string.Concat(digits);
        }

        using var parallel = NewParallel();
        var texts = Patience.Within(() => parallel.Run(
        [
            Delayed(() => Join()),
            Delayed(a => Join(a), 1),
            Delayed((a, b) => Join(a, b), 1, 2),
            Delayed((a, b, c) => Join(a, b, c), 1, 2, 3),
            Delayed((a, b, c, d) => Join(a, b, c, d), 1, 2, 3, 4),
            Delayed((a, b, c, d, e) => Join(a, b, c, d, e), 1, 2, 3, 4, 5),
            Delayed((a, b, c, d, e, f) => Join(a, b, c, d, e, f), 1, 2, 3, 4, 5, 6),
            Delayed((a, b, c, d, e, f, g) => Join(a, b, c, d, e, f, g), 1, 2, 3, 4, 5, 6, 7),
            Delayed((a, b, c, d, e, f, g, h) => Join(a, b, c, d, e, f, g, h), 1, 2, 3, 4, 5, 6, 7, 8),
        ]));
        Assert.Equal(Enumerable.Range(0, 9).Select(count => "12345678"[..count]), texts);
    }

    [Fact]
    public void Run_FunctionsWithoutResultOfEveryArity_GiveOneNoResultEach()
    {
        using var meeting = new Rendezvous();
        void Note(params int[] digits) => meeting.Note("digits", $"{digits.Length}:{string.Concat(digits)}");

        using var parallel = NewParallel();
        var results = Patience.Within(() => parallel.Run(
        [
            Delayed(() => Note()),
            Delayed(a => Note(a), 1),
            Delayed((a, b) => Note(a, b), 1, 2),
            Delayed((a, b, c) => Note(a, b, c), 1, 2, 3),
            Delayed((a, b, c, d) => Note(a, b, c, d), 1, 2, 3, 4),
            Delayed((a, b, c, d, e) => Note(a, b, c, d, e), 1, 2, 3, 4, 5),
            Delayed((a, b, c, d, e, f) => Note(a, b, c, d, e, f), 1, 2, 3, 4, 5, 6),
            Delayed((a, b, c, d, e, f, g) => Note(a, b, c, d, e, f, g), 1, 2, 3, 4, 5, 6, 7),
            Delayed((a, b, c, d, e, f, g, h) => Note(a, b, c, d, e, f, g, h), 1, 2, 3, 4, 5, 6, 7, 8),
        ]));
        Assert.Equal(9, results.Length);
        Assert.Equal(Enumerable.Range(0, 9).Select(count => $"{count}:{"12345678"[..count]}"), meeting.Noted("digits").Order());
    }

    [Fact]
    public void Run_AsynchronousFunctionsWithoutResultOfEveryArity_AreAwaited()
    {
        using var meeting = new Rendezvous();
        async Task Note(params int[] digits)
        {
            await Task.Yield();
            meeting.Note("digits", $"{digits.Length}:{string.Concat(digits)}");
        }

        using var parallel = NewParallel();
        var results = Patience.Within(() => parallel.Run(
        [
            Delayed(() => Note()),
            Delayed(a => Note(a), 1),
            Delayed((a, b) => Note(a, b), 1, 2),
            Delayed((a, b, c) => Note(a, b, c), 1, 2, 3),
            Delayed((a, b, c, d) => Note(a, b, c, d), 1, 2, 3, 4),
            Delayed((a, b, c, d, e) => Note(a, b, c, d, e), 1, 2, 3, 4, 5),
            Delayed((a, b, c, d, e, f) => Note(a, b, c, d, e, f), 1, 2, 3, 4, 5, 6),
            Delayed((a, b, c, d, e, f, g) => Note(a, b, c, d, e, f, g), 1, 2, 3, 4, 5, 6, 7),
            Delayed((a, b, c, d, e, f, g, h) => Note(a, b, c, d, e, f, g, h), 1, 2, 3, 4, 5, 6, 7, 8),
        ]));
        Assert.Equal(9, results.Length);
        Assert.Equal(Enumerable.Range(0, 9).Select(count => $"{count}:{"12345678"[..count]}"), meeting.Noted("digits").Order());
    }

    [Fact]
    public async Task RunAsync_AsynchronousCalls_AreAwaited()
    {
        await using var parallel = NewParallel();
        var results = await parallel.RunAsync(Enumerable.Range(0, 100).Select(i => Delayed(async () =>
        {
            await Task.Yield();
            return i;
        }))).WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(0, 100), results);
    }

    [Fact]
    public void Run_AsynchronousCallWaitsForAnother_BothEnd()
    {
        if (!Traits.RunsCallsAtOnce)
        {
            return; // One call at a time: the wait could not end.
        }

        using var meeting = new Rendezvous();
        using var parallel = NewParallel(batchSize: 1);
        Assert.Equal([7, 8], Patience.Within(() => parallel.Run(
        [
            Delayed(async () =>
            {
                await meeting.AwaitAsync("second", "the second call");
                return 7;
            }),
            Delayed(() =>
            {
                meeting.Set("second");
                return 8;
            }),
        ])));
    }

    [Fact]
    public void Run_TokenTakingCallsOfEveryForm_GetATokenThatIsNotCancelled()
    {
        using var meeting = new Rendezvous();
        void Note(CancellationToken token) => meeting.Add("noted", token.IsCancellationRequested ? 100 : 1);
        async Task NoteAsync(CancellationToken token)
        {
            await Task.Yield();
            Note(token);
        }

        using var parallel = NewParallel();
        Assert.Equal([false, false], Patience.Within(() => parallel.Run(
        [
            Delayed((CancellationToken token) => token.IsCancellationRequested),
            Delayed(async (CancellationToken token) =>
            {
                await Task.Yield();
                return token.IsCancellationRequested;
            }),
        ])));
        Patience.Within(() => parallel.Run([Delayed((CancellationToken token) => Note(token)), Delayed((CancellationToken token) => NoteAsync(token))]));
        Assert.Equal(2, meeting.Count("noted"));
    }

    [Fact]
    public void Run_CallsThatReturnValueTask_AreRefused()
    {
        using var parallel = NewParallel();
        Assert.Throws<ArgumentException>(() => parallel.Run([Delayed(() => ValueTask.CompletedTask)]));
        Assert.Throws<ArgumentException>(() => parallel.Run([Delayed(() => new ValueTask<int>(1))]));
    }

    [Fact]
    public void Run_AsynchronousCallReturnsNullTask_Throws()
    {
        using var parallel = NewParallel();
        Assert.IsType<InvalidOperationException>(Patience.ThrownBy(() => parallel.Run([Delayed(() => (Task<int>)null!)])));
    }
}
