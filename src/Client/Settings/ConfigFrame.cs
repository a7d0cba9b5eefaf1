namespace Orleans.Joblib;

/// <summary>What <c>ParallelConfig</c> set for the code that runs under it. Null = not set. Flows with the execution context, so through awaits and into workers.</summary>
internal sealed record ConfigFrame
{
    private static readonly AsyncLocal<ConfigFrame?> Ambient = new();

    internal static readonly ConfigFrame Default = new();

    internal static ConfigFrame Current
    {
        get => Ambient.Value ?? (Orleans.Joblib.NestingLevel.Current is > 0 and var level ? Of(NestedBackend.At(level)) : Default);
        set => Ambient.Value = value;
    }

    /// <summary>What loops inside calls have, unless their surroundings say otherwise.</summary>
    internal static ConfigFrame Of(NestedBackend nested) => new() { Backend = nested.Backend, NestingLevel = nested.NestingLevel, NJobs = nested.NJobs };

    internal BackendChoice? Backend { get; init; }

    internal int NestingLevel { get; init; }

    internal int? NJobs { get; init; }

    internal int? Verbose { get; init; }

    internal string? TempFolder { get; init; }

    internal MaxNbytes? MaxNbytes { get; init; }

    internal MmapMode? MmapMode { get; init; }

    internal Prefer? Prefer { get; init; }

    internal Require? Require { get; init; }

    internal int? InnerMaxNumThreads { get; init; }

    internal BackendOptions? BackendOptions { get; init; }
}
