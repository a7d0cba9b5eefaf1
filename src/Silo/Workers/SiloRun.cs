using System.Collections.Concurrent;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>One run's share of a silo: its slots, lease, batch grains and batches in hand.</summary>
internal sealed class SiloRun(Guid id, RunReporter reporter)
{
    internal Guid Id => id;

    internal RunReporter Reporter => reporter;

    internal BatchAnswer Answer => reporter.Answer;

    internal int Slots { get; set; }

    internal TimeSpan Lease { get; set; }

    /// <summary>When the lease ends, as a timestamp of the silo's clock.</summary>
    internal long LeaseStartedAt { get; set; }

    /// <summary>The slots' grains on this silo: they go with the run.</summary>
    internal ConcurrentDictionary<GrainId, IGrainContext> Grains { get; } = new();
}
