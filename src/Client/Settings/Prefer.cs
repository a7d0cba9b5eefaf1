namespace Orleans.Joblib;

/// <summary>A hint that chooses the kind of workers where nobody named a backend. joblib 1.6: <c>prefer</c>.</summary>
public enum Prefer
{
    /// <summary>Threads of this process.</summary>
    Threads = 0,

    /// <summary>Processes on this host. This version has no worker processes: with a default backend of threads the hint is refused.</summary>
    Processes = 1,
}
