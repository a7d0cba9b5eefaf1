namespace Orleans.Joblib;

/// <summary>A hint that chooses the kind of workers where nobody named a backend, and on the backend "orleans". joblib 1.6: <c>prefer</c>.</summary>
public enum Prefer
{
    /// <summary>Threads of this process. On "orleans": what the silos are set to.</summary>
    Threads = 0,

    /// <summary>Processes on this host: "loky". On "orleans": worker processes of the silos, whatever they are set to.</summary>
    Processes = 1,
}
