using System.Collections;

namespace Orleans.Joblib.Tests;

/// <summary>A lazy sequence of calls that knows how it was read: how far, how often closed, and whether two threads were ever in it at once.</summary>
internal sealed class CountedSequence<T>(IEnumerable<Delayed<T>> calls) : IEnumerable<Delayed<T>>, IAsyncEnumerable<Delayed<T>>
{
    private int _inside;
    private int _opened;
    private int _closed;
    private int _taken;
    private int _overlaps;

    internal int Opened => Volatile.Read(ref _opened);

    internal int Closed => Volatile.Read(ref _closed);

    internal int Taken => Volatile.Read(ref _taken);

    internal int Overlaps => Volatile.Read(ref _overlaps);

    public IEnumerator<Delayed<T>> GetEnumerator() => new Enumerator(this, calls.GetEnumerator());

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public IAsyncEnumerator<Delayed<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default) => new Enumerator(this, calls.GetEnumerator());

    private sealed class Enumerator : IEnumerator<Delayed<T>>, IAsyncEnumerator<Delayed<T>>
    {
        private readonly CountedSequence<T> _sequence;
        private readonly IEnumerator<Delayed<T>> _calls;

        internal Enumerator(CountedSequence<T> sequence, IEnumerator<Delayed<T>> calls)
        {
            _sequence = sequence;
            _calls = calls;
            Interlocked.Increment(ref sequence._opened);
        }

        public Delayed<T> Current => _calls.Current;

        object IEnumerator.Current => Current;

        public bool MoveNext()
        {
            Enter();
            try
            {
                if (!_calls.MoveNext())
                {
                    return false;
                }

                Interlocked.Increment(ref _sequence._taken);
                return true;
            }
            finally
            {
                Interlocked.Exchange(ref _sequence._inside, 0);
            }
        }

        public async ValueTask<bool> MoveNextAsync()
        {
            await Task.Yield();
            return MoveNext();
        }

        public void Reset() => throw new NotSupportedException();

        public void Dispose()
        {
            Enter();
            Interlocked.Increment(ref _sequence._closed);
            Interlocked.Exchange(ref _sequence._inside, 0);
            _calls.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Enter()
        {
            if (Interlocked.Exchange(ref _sequence._inside, 1) != 0)
            {
                Interlocked.Increment(ref _sequence._overlaps);
            }
        }
    }
}
