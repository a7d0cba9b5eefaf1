namespace Orleans.Joblib;

/// <summary>A hint that chooses the kind of workers where nobody named a backend. joblib 1.6: <c>prefer</c>.</summary>
public enum Prefer
{
    /// <summary>Threads of this process.</summary>
    Threads = 0,

    /// <summary>Processes on this host.</summary>
    Processes = 1,
}
