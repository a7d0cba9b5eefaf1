using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>An <see cref="IEnumerable{T}"/> of calls.</summary>
internal sealed class SyncCallSource<T> : CallSource<T>
{
    // A sequence that takes its time must not hold back the calls that it gave: a read ends after this long, looked at every 16 calls.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private const int CallsBetweenLooks = 16;

    private readonly IEnumerator<Delayed<T>> _calls;

    internal SyncCallSource(IEnumerable<Delayed<T>> calls)
    {
        Length = calls.TryGetNonEnumeratedCount(out var count) ? count : null;
        _calls = calls.GetEnumerator();
    }

    internal override long? Length { get; }

    internal override ValueTask<int> ReadAsync(Delayed<T>[] buffer, int count, bool mayPause, bool hasCalls)
    {
        var began = mayPause ? Stopwatch.GetTimestamp() : 0;
        var calls = _calls;
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
            if (mayPause && i % CallsBetweenLooks == CallsBetweenLooks - 1 && Stopwatch.GetElapsedTime(began) > Pause)
            {
                return new(i + 1);
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
