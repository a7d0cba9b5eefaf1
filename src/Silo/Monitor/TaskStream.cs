using System.Collections.Concurrent;

namespace Orleans.Joblib.Silo;

/// <summary>What the workers of a silo did lately, batch by batch. Thread-safe; a batch costs it tens of nanoseconds, whether somebody looks or not.</summary>
internal sealed class TaskStream(TimeProvider time)
{
    private readonly ConcurrentDictionary<int, Lane> _lanes = new();

    /// <summary>The clock of <see cref="Running"/> and <see cref="EndedSince"/>.</summary>
    internal long Now => time.GetTimestamp();

    /// <summary>Batches that have ended.</summary>
    internal long EndedCount => _lanes.Values.Sum(lane => lane.EndedCount);

    /// <summary>The calling worker takes up a batch.</summary>
    internal void Started(Guid run, long number, int calls) =>
        _lanes.GetOrAdd(WorkerPool.CurrentLane, static (_, time) => new Lane(time), time).Start(run, number, calls);

    /// <summary>The calling worker is done with it.</summary>
    internal void Ended(bool failed)
    {
        if (_lanes.TryGetValue(WorkerPool.CurrentLane, out var lane))
        {
            lane.End(failed);
        }
    }

    internal BatchTrace[] Running(long now) => [.. _lanes.Select(lane => lane.Value.Running(lane.Key, now)).OfType<BatchTrace>()];

    /// <summary>Batches that ended after a moment, the oldest first, as far back as is kept.</summary>
    /// <param name="since">The moment.</param>
    /// <param name="now">The moment of the look.</param>
    /// <param name="most">Of more than this many the newest are given.</param>
    internal BatchTrace[] EndedSince(long since, long now, int most)
    {
        var ended = new List<BatchTrace>();
        foreach (var (worker, lane) in _lanes)
        {
            lane.AddEndedSince(since, now, worker, ended);
        }

        ended.Sort(static (a, b) => (b.StartedAgo - b.Duration!.Value).CompareTo(a.StartedAgo - a.Duration!.Value));
        return [.. ended.Skip(ended.Count - most)];
    }

    /// <summary>One worker. Batches of one run that follow each other closely are kept as one: nobody could see them apart, and a look must not miss the work of the last second.</summary>
    private sealed class Lane(TimeProvider time)
    {
        private const int Kept = 128;
        private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(1);
        private static readonly TimeSpan LongestTogether = TimeSpan.FromMilliseconds(20);

        private readonly Lock _gate = new();
        private readonly Entry[] _ring = new Entry[Kept];
        private long _written;
        private Entry _current;
        private bool _isRunning;

        internal long EndedCount { get; private set; }

        internal void Start(Guid run, long number, int calls)
        {
            lock (_gate)
            {
                _current = new Entry(run, number, calls, time.GetTimestamp(), 0, false);
                _isRunning = true;
            }
        }

        internal void End(bool failed)
        {
            lock (_gate)
            {
                if (!_isRunning)
                {
                    return;
                }

                _isRunning = false;
                EndedCount++;
                var now = time.GetTimestamp();
                if (_written > 0)
                {
                    ref var last = ref _ring[(_written - 1) % Kept];
                    if (last.Run == _current.Run
                        && !last.Failed
                        && !failed
                        && time.GetElapsedTime(last.EndedAt, _current.StartedAt) < Gap
                        && time.GetElapsedTime(last.StartedAt, now) < LongestTogether)
                    {
                        last = last with { Calls = last.Calls + _current.Calls, EndedAt = now };
                        return;
                    }
                }

                _ring[_written++ % Kept] = _current with { EndedAt = now, Failed = failed };
            }
        }

        internal BatchTrace? Running(int worker, long now)
        {
            lock (_gate)
            {
                return _isRunning ? new BatchTrace(worker, _current.Run, _current.Number, _current.Calls, time.GetElapsedTime(_current.StartedAt, now), null, false) : null;
            }
        }

        internal void AddEndedSince(long since, long now, int worker, List<BatchTrace> ended)
        {
            lock (_gate)
            {
                for (var i = Math.Max(0, _written - Kept); i < _written; i++)
                {
                    var entry = _ring[i % Kept];
                    if (entry.EndedAt > since && entry.EndedAt <= now)
                    {
                        ended.Add(new BatchTrace(
                            worker, entry.Run, entry.Number, entry.Calls, time.GetElapsedTime(entry.StartedAt, now), time.GetElapsedTime(entry.StartedAt, entry.EndedAt), entry.Failed));
                    }
                }
            }
        }

        private readonly record struct Entry(Guid Run, long Number, int Calls, long StartedAt, long EndedAt, bool Failed);
    }
}
