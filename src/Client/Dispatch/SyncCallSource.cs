using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>An <see cref="IEnumerable{T}"/> of calls.</summary>
internal sealed class SyncCallSource<T> : CallSource<T>
{
    // A sequence that takes its time must not hold back the calls that it gave: looking ahead ends after this long. The clock is looked at after every call that
    // took a millisecond, and every 16 calls where they are fast.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SlowPace = TimeSpan.FromMilliseconds(1);
    private const int MostCallsBetweenLooks = 16;

    private readonly IEnumerator<Delayed<T>> _calls;

    internal SyncCallSource(IEnumerable<Delayed<T>> calls)
    {
        Length = calls.TryGetNonEnumeratedCount(out var count) ? count : null;
        _calls = calls.GetEnumerator();
    }

    internal override long? Length { get; }

    internal override ValueTask<int> ReadAsync(Delayed<T>[] buffer, int count, long? began, bool hasCalls)
    {
        Paused = false;
        var calls = _calls;
        var lookedAt = began ?? 0;
        var pace = 1;
        var look = began is null ? 0 : pace;
        for (var i = 0; i < count; i++)
        {
            if (!calls.MoveNext())
            {
                Exhausted = true;
                return new(i);
            }

            var call = calls.Current;
            Take(call);
            buffer[i] = call;
            if (i + 1 == look)
            {
                var now = Stopwatch.GetTimestamp();
                if (began is { } start && Stopwatch.GetElapsedTime(start, now) > Pause)
                {
                    Paused = true;
                    return new(i + 1);
                }

                pace = Stopwatch.GetElapsedTime(lookedAt, now) > SlowPace ? 1 : Math.Min(2 * pace, MostCallsBetweenLooks);
                lookedAt = now;
                look += pace;
            }
        }

        return new(count);
    }

    private protected override ValueTask DisposeEnumeratorAsync()
    {
        _calls.Dispose();
        return ValueTask.CompletedTask;
    }
}
