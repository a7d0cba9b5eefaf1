using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>What a silo's worker processes are.</summary>
internal interface IWorkerProgram
{
    /// <summary>Programs with equal keys have interchangeable workers.</summary>
    object Key { get; }

    /// <summary>Keeps what workers need that start later; null when nothing can go.</summary>
    IDisposable? Hold();

    /// <summary>How workers are made.</summary>
    /// <param name="environment">Variables that each gets beside the silo's own.</param>
    /// <param name="loggers">Where the pool logs, by category.</param>
    /// <exception cref="JoblibException">The silo cannot start it.</exception>
    PoolSettings Settings(IReadOnlyDictionary<string, string> environment, Func<string, ILogger> loggers);
}
