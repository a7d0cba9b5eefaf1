using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One run's share of a silo: its slots, lease, batch grains and batches in hand.</summary>
internal sealed class SiloRun(Guid id, RunReporter reporter, OutcomeSender? outcomes, ThreadLimit limit, TaskStream stream, RunRuntime? runtime = null, Func<SiloRun, CodecLease, SiloProcesses.Share>? processes = null)
{
    private readonly ConcurrentDictionary<(TimeSpan? Timeout, int NestingLevel), RunScope> _scopes = new();
    // A message of a loop that has ended may come late: it must not bring its arrays up again.
    private const int MostEndedLoops = 256;

    private readonly Queue<Guid> _endedLoops = new();
    private readonly Lock _sharing = new();

    // Of the present loop, and of one that is ending. Null once the run has ended.
    private Dictionary<Guid, SiloRunArrays>? _arrays = [];

    // By code set. Null once the run has ended.
    private Dictionary<object, SiloProcesses.Share>? _shares = [];

    internal Guid Id => id;

    /// <summary>What executes its calls; null for .NET.</summary>
    internal RunRuntime? Runtime => runtime;

    /// <summary>Whether its calls are made in worker processes.</summary>
    internal bool InProcesses => processes is not null;

    internal RunReporter Reporter => reporter;

    /// <summary>The way back to a client in another process; null when the client takes no outcomes.</summary>
    internal OutcomeSender? Outcomes => outcomes;

    /// <summary>The threads that one of its calls may use.</summary>
    internal ThreadLimit Limit => limit;

    internal BatchAnswer Answer => reporter.Answer;

    internal int Slots { get; set; }

    /// <summary>Batches that workers may have in hand at once: one a slot, and one when it has none any more, for those that came before.</summary>
    internal int MostAtOnce => Math.Max(Slots, 1);

    /// <summary>Whether a worker could take up more of it.</summary>
    internal bool WantsWork(WorkerPool pool) => pool.WantsWork && pool.IdleFor(this, MostAtOnce) > 0;

    internal TimeSpan Lease { get; set; }

    /// <summary>When the lease ends, as a timestamp of the silo's clock.</summary>
    internal long LeaseStartedAt { get; set; }

    /// <summary>The slots' grains on this silo: they go with the run.</summary>
    internal ConcurrentDictionary<GrainId, IGrainContext> Grains { get; } = new();

    /// <summary>Batches from other processes by handle, from their arrival until their client has acknowledged the outcome.</summary>
    internal ConcurrentDictionary<long, RemoteBatchWork> InHand { get; } = new();

    /// <summary>What batches from other processes with equal settings share while they execute.</summary>
    internal RunScope Scope(TimeSpan? timeout, int nestingLevel) => _scopes.GetOrAdd((timeout, nestingLevel), static key => new RunScope
    {
        Context = NestingLevel.Capture(key.NestingLevel),
        Timeout = key.Timeout,
        ReportsCalls = false,
    });

    /// <summary>The calling worker takes up a batch of it, or a part of one.</summary>
    internal void Started(long number, int calls)
    {
        JoblibInstruments.SlotTaken();
        stream.Started(id, number, calls);
    }

    /// <summary>The calling worker is done with it.</summary>
    internal void Ended(bool failed)
    {
        stream.Ended(failed);
        JoblibInstruments.SlotFreed();
    }

    /// <summary>Sends outcomes that went with answers until they are acknowledged: no later message will say that they were received.</summary>
    internal void SendAnsweredAgain()
    {
        foreach (var work in InHand.Values)
        {
            work.SendAgain();
        }
    }

    /// <summary>Whether its client has large results to fetch here.</summary>
    internal bool KeepsResults
    {
        get
        {
            lock (_sharing)
            {
                return _arrays?.Values.Any(arrays => arrays.KeepsResults) == true;
            }
        }
    }

    /// <summary>The large arrays of one of its loops; null when it has ended, or they cannot be made.</summary>
    internal SiloRunArrays? ArraysOf(ArraySession session, Func<ArraySession, SiloRunArrays?> make)
    {
        lock (_sharing)
        {
            if (_arrays is null)
            {
                return null;
            }

            if (_arrays.TryGetValue(session.Run, out var arrays) || _endedLoops.Contains(session.Run) || (arrays = make(session)) is null)
            {
                return arrays;
            }

            // A client's loops come one after the other on a run: this one's predecessor has ended.
            foreach (var before in _arrays.Values)
            {
                before.Dispose();
                Forget(before.Session.Run);
            }

            _arrays.Clear();
            _arrays.Add(session.Run, arrays);
            return arrays;
        }
    }

    // Called with _sharing held.
    private void Forget(Guid loop)
    {
        _endedLoops.Enqueue(loop);
        if (_endedLoops.Count > MostEndedLoops)
        {
            _endedLoops.Dequeue();
        }
    }

    internal void EndArrays(Guid session)
    {
        SiloRunArrays? arrays;
        lock (_sharing)
        {
            Forget(session);
            if (_arrays?.Remove(session, out arrays) != true)
            {
                return;
            }
        }

        arrays!.Dispose();
    }

    /// <summary>The results of a batch that its client has not got yet.</summary>
    internal KeptResults? Results(long batch)
    {
        lock (_sharing)
        {
            return _arrays?.Values.Select(arrays => arrays.Results(batch)).FirstOrDefault(results => results is not null);
        }
    }

    internal void Taken(long batch)
    {
        lock (_sharing)
        {
            foreach (var arrays in _arrays?.Values ?? Enumerable.Empty<SiloRunArrays>())
            {
                arrays.Taken(batch);
            }
        }
    }

    /// <summary>Its worker processes for a code set; null when it has ended.</summary>
    /// <exception cref="JoblibException">There can be none.</exception>
    internal PoolLease? ProcessesFor(CodecLease code, SiloRunArrays? arrays)
    {
        lock (_sharing)
        {
            if (_shares is null)
            {
                return null;
            }

            // Another runtime's calls bring their code with them: one share.
            var key = (object?)code.Code?.Context ?? this;
            if (!_shares.TryGetValue(key, out var share))
            {
                share = processes!(this, code);
                _shares.Add(key, share);
            }

            share.Lease.Pool.Widen(share.Lease, Slots);
            if (arrays is not null && !ReferenceEquals(share.Lease.Arrays, arrays.Settings))
            {
                // The first batch of another loop: what calls of the last one wrote to their arrays is undone.
                share.Lease.EndRun();
                share.Lease.BeginRun(arrays.Settings);
            }

            return share.Lease;
        }
    }

    /// <summary>Tells calls in progress that nobody waits for them.</summary>
    internal void End()
    {
        reporter.Stop();
        outcomes?.Stop();
        foreach (var scope in _scopes.Values)
        {
            scope.End();
        }

        Dictionary<object, SiloProcesses.Share>? shares;
        Dictionary<Guid, SiloRunArrays>? loops;
        lock (_sharing)
        {
            (shares, _shares) = (_shares, null);
            (loops, _arrays) = (_arrays, null);
        }

        foreach (var share in shares?.Values ?? Enumerable.Empty<SiloProcesses.Share>())
        {
            _ = share.EndAsync();
        }

        foreach (var arrays in loops?.Values ?? Enumerable.Empty<SiloRunArrays>())
        {
            arrays.Dispose();
        }
    }
}
