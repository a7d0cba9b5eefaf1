using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One run's share of a silo: its slots, lease, batch grains and batches in hand.</summary>
internal sealed class SiloRun(Guid id, RunReporter reporter, OutcomeSender? outcomes, ThreadLimit limit)
{
    private readonly ConcurrentDictionary<(TimeSpan? Timeout, int NestingLevel), RunScope> _scopes = new();

    internal Guid Id => id;

    internal RunReporter Reporter => reporter;

    /// <summary>The way back to a client in another process; null when the client takes no outcomes.</summary>
    internal OutcomeSender? Outcomes => outcomes;

    /// <summary>The threads that one of its calls may use.</summary>
    internal ThreadLimit Limit => limit;

    internal BatchAnswer Answer => reporter.Answer;

    internal int Slots { get; set; }

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

    /// <summary>Sends outcomes that went with answers until they are acknowledged: no later message will say that they were received.</summary>
    internal void SendAnsweredAgain()
    {
        foreach (var work in InHand.Values)
        {
            work.SendAgain();
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
    }
}
