using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>How a process pool's workers are made and kept.</summary>
internal sealed record PoolSettings
{
    internal static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromSeconds(300);

    /// <summary>loky's <c>_MAX_MEMORY_LEAK_SIZE</c>.</summary>
    internal const long DefaultMaxMemoryGrowth = 300_000_000;

    internal required WorkerCommand Command { get; init; }

    /// <summary>Variables that workers get beside this process's own.</summary>
    internal required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Code that workers do not find by themselves.</summary>
    internal required IWorkerCodeSource Code { get; init; }

    /// <summary>A batch of one call that each worker executes first; null for none.</summary>
    internal byte[]? Initializer { get; init; }

    /// <summary>Why an initializer failed, from its outcome and the worker's process id.</summary>
    internal required Func<ReadOnlyMemory<byte>, int, JoblibException> ReadInitializerFailure { get; init; }

    /// <summary>A worker may grow by so many bytes over what it had after its first batch.</summary>
    internal long MaxMemoryGrowth { get; init; } = DefaultMaxMemoryGrowth;

    /// <summary>Batches that a worker executes before it is replaced; null for no end.</summary>
    internal int? MaxBatchesPerWorker { get; init; }

    /// <summary>Where the pool logs, and what workers log arrives, by category.</summary>
    internal required Func<string, ILogger> Loggers { get; init; }

    /// <summary>For workers of .NET.</summary>
    internal static Func<ReadOnlyMemory<byte>, int, JoblibException> FailuresBy(PayloadDecoder decoder) => (payload, worker) =>
    {
        var cause = decoder.DecodeFailure(payload);
        return new JoblibException(
            "initializer-failed", $"The initializer failed in worker process {worker}: {cause.GetType().Name}: {cause.Message} No call was made there. Mend the initializer, or leave it out.", cause);
    };

    /// <summary>Whether workers of both are interchangeable.</summary>
    internal bool MakesTheSame(PoolSettings other) =>
        Initializer.AsSpan().SequenceEqual(other.Initializer)
        && MaxMemoryGrowth == other.MaxMemoryGrowth
        && MaxBatchesPerWorker == other.MaxBatchesPerWorker
        && Environment.Count == other.Environment.Count
        && Environment.All(variable => other.Environment.GetValueOrDefault(variable.Key) == variable.Value);
}
