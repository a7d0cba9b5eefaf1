namespace Orleans.Joblib.Tests;

/// <summary>What a backend can do: a test of a capability that it lacks asserts that asking for it throws or warns.</summary>
/// <param name="Name">The name that it is registered under.</param>
public sealed record BackendTraits(string Name)
{
    /// <summary>Two calls may wait for each other.</summary>
    public bool RunsCallsAtOnce { get; init; } = true;

    /// <summary>Calls are made on the thread that runs or reads: nothing happens ahead of it.</summary>
    public bool RunsCallsHere { get; init; }

    /// <summary>Calls share this process's objects and what flows with their caller; elsewhere they meet in a <see cref="Rendezvous"/>.</summary>
    public bool RunsCallsInThisProcess { get; init; } = true;

    /// <summary>Calls and results that could not travel to another process are refused, whether or not they do travel.</summary>
    public bool RefusesWhatCannotTravel { get; init; }

    public bool SupportsTimeout { get; init; }

    public bool SupportsStreams { get; init; } = true;

    public bool SupportsSharedMemory { get; init; } = true;

    /// <summary>A call that overruns its timeout is stopped: it need not hear of it.</summary>
    public bool StopsOverdueCalls { get; init; }

    /// <summary>Levels of parallel loops, this one's own not counted, that run in parallel before nesting turns sequential.</summary>
    public int ParallelLevelsBelow { get; init; } = 1;
}
