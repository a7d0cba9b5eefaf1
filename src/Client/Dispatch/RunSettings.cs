namespace Orleans.Joblib;

/// <summary>All that a run needs to know, resolved: explicit argument over surrounding configuration over default.</summary>
internal sealed record RunSettings
{
    internal required BackendKey Backend { get; init; }

    internal required int Verbose { get; init; }

    internal required TimeSpan? Timeout { get; init; }

    internal required PreDispatch PreDispatch { get; init; }

    internal required BatchSize BatchSize { get; init; }

    internal required IProgress<RunProgress>? Progress { get; init; }
}
