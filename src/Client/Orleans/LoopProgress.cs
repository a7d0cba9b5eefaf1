namespace Orleans.Joblib;

/// <summary>How far the loops of an open run have come, all together. Thread-safe.</summary>
internal sealed class LoopProgress
{
    private readonly Lock _gate = new();
    private ClientProgress _earlier = new(0, 0, 0);
    private IFollowedLoop? _loop;
    private ClientProgress? _told;

    internal ClientProgress Now
    {
        get
        {
            lock (_gate)
            {
                return _loop is { } loop ? Add(_earlier, loop.Progress) : _earlier;
            }
        }
    }

    internal void Follow(IFollowedLoop? loop)
    {
        lock (_gate)
        {
            if (_loop is { } ended)
            {
                _earlier = Add(_earlier, ended.Progress);
            }

            // A run that stays open for the next loop must not hold the last one's results.
            _loop = loop;
        }
    }

    /// <summary>The progress if it is another than at the last call.</summary>
    internal ClientProgress? TakeNews()
    {
        var now = Now;
        return now == Interlocked.Exchange(ref _told, now) ? null : now;
    }

    private static ClientProgress Add(ClientProgress one, ClientProgress other) =>
        new(one.Dispatched + other.Dispatched, one.Completed + other.Completed, one.Total + other.Total, other.Failure ?? one.Failure);
}
