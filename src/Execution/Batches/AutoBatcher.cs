namespace Orleans.Joblib;

/// <summary>Sizes batches so that one takes long enough to pay for its dispatch and short enough to share out: the sizes follow the time that batches took.</summary>
/// <remarks>
/// joblib 1.6, <c>AutoBatchingMixin</c>: batches under 0.2 s grow, at most doubling; batches over 2 s shrink; a smoothed duration (0.8 old, 0.2 new) decides, and a
/// change of size starts it afresh. Beyond joblib, a size never passes <see cref="MaxCalls"/>, so that calls of nanoseconds keep memory flat. Thread-safe.
/// </remarks>
public sealed class AutoBatcher
{
    /// <summary>joblib's lower bound on a batch's time: 0.2 s.</summary>
    public static readonly TimeSpan DefaultMinDuration = TimeSpan.FromSeconds(0.2);

    /// <summary>joblib's upper bound on a batch's time: 2 s.</summary>
    public static readonly TimeSpan DefaultMaxDuration = TimeSpan.FromSeconds(2);

    /// <summary>The most calls of an automatic batch: 8,192.</summary>
    public const int DefaultMaxCalls = 8192;

    private readonly Lock _gate = new();
    private readonly double _minSeconds;
    private readonly double _maxSeconds;
    private int _batchSize = 1;
    private int _dispatchedSize = 1;
    private double _smoothedSeconds;

    // Smaller batches go out than it asked for, for reasons other than time: their payload's length, or results that nobody has taken.
    private bool IsBounded => _dispatchedSize < _batchSize;

    /// <summary>Bounds for one backend.</summary>
    /// <param name="minDuration">Batches shorter than this grow. Default: 0.2 s.</param>
    /// <param name="maxDuration">Batches longer than this shrink. Default: 2 s.</param>
    /// <param name="maxCalls">Calls in a batch, at most; 1 or more. Default: 8,192.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound is not positive, or the bounds are reversed.</exception>
    public AutoBatcher(TimeSpan? minDuration = null, TimeSpan? maxDuration = null, int maxCalls = DefaultMaxCalls)
    {
        var min = minDuration ?? DefaultMinDuration;
        var max = maxDuration ?? DefaultMaxDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(min, TimeSpan.Zero, nameof(minDuration));
        ArgumentOutOfRangeException.ThrowIfLessThan(max, min, nameof(maxDuration));
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCalls, 1);
        _minSeconds = min.TotalSeconds;
        _maxSeconds = max.TotalSeconds;
        MaxCalls = maxCalls;
    }

    /// <summary>Calls in a batch, at most.</summary>
    public int MaxCalls { get; }

    /// <summary>The smoothed time of a batch of the present size; zero until one has completed.</summary>
    public TimeSpan SmoothedDuration
    {
        get
        {
            lock (_gate)
            {
                return TimeSpan.FromSeconds(_smoothedSeconds);
            }
        }
    }

    /// <summary>The size that the next batch should have, in calls; at least 1.</summary>
    public int ComputeBatchSize() => ComputeBatchSize(out _);

    /// <summary>The size that the next batch should have, and why it changed.</summary>
    /// <param name="change">Null when the size stays.</param>
    public int ComputeBatchSize(out BatchSizeChange? change)
    {
        lock (_gate)
        {
            var duration = _smoothedSeconds;
            int size;
            if (duration > 0 && duration < _minSeconds && !IsBounded)
            {
                var ideal = Math.Min(MaxCalls, _batchSize * _minSeconds / duration);
                size = Math.Min(MaxCalls, Math.Max(1, Math.Min(2 * _batchSize, 2 * (int)ideal)));
            }
            else if (duration > _maxSeconds && _batchSize >= 2)
            {
                size = Math.Max(1, 2 * (int)(_batchSize * _minSeconds / duration));
            }
            else
            {
                size = _batchSize;
            }

            change = null;
            if (size != _batchSize)
            {
                change = new BatchSizeChange(size, TimeSpan.FromSeconds(duration), TooFast: size > _batchSize);
                _batchSize = size;
                _smoothedSeconds = 0;
            }

            return _dispatchedSize = size;
        }
    }

    /// <summary>
    /// Says what became of the last size: where something else bounds batches, those that go out are smaller, and it learns from them. Else a size that was found when calls were
    /// quick would stay for ever, and with it batches of minutes when calls become slow.
    /// </summary>
    internal void Dispatches(int batchSize)
    {
        lock (_gate)
        {
            _dispatchedSize = batchSize;
        }
    }

    /// <summary>Learns from a batch.</summary>
    /// <param name="batchSize">Its calls; a batch of another size than the present one teaches nothing.</param>
    /// <param name="duration">How long it took.</param>
    public void BatchCompleted(int batchSize, TimeSpan duration)
    {
        lock (_gate)
        {
            // A bound moves with the payloads; a piece of less than half of it is a sequence's tail, whose time is that of the batches before it.
            if (batchSize == _batchSize || (IsBounded && batchSize < _batchSize && 2L * batchSize > _dispatchedSize))
            {
                var seconds = duration.TotalSeconds * _batchSize / batchSize;
                _smoothedSeconds = _smoothedSeconds == 0 ? seconds : (0.8 * _smoothedSeconds) + (0.2 * seconds);
            }
        }
    }

    /// <summary>Forgets all it learned: the next size is 1.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _batchSize = _dispatchedSize = 1;
            _smoothedSeconds = 0;
        }
    }
}
