namespace Orleans.Joblib;

/// <summary>A loop's right to workers of a process pool.</summary>
/// <remarks>The pool's lock guards what is mutable.</remarks>
internal sealed class PoolLease(ProcessPool pool, int workers, Microsoft.Extensions.Logging.LogLevel logLevel) : IDisposable
{
    private static long _lastId;

    internal ProcessPool Pool => pool;

    /// <summary>Batches that may be executed at once.</summary>
    internal int Workers { get; set; } = workers;

    /// <summary>The least level that the program logs: workers send nothing below it.</summary>
    internal Microsoft.Extensions.Logging.LogLevel LogLevel => logLevel;

    /// <summary>Names what it sends in its workers; a new one after an abort.</summary>
    internal long Id { get; set; } = NewId();

    /// <summary>What its present run says of large arrays; null when it says nothing.</summary>
    internal ArraySettings? Arrays { get; set; }

    /// <summary>Whether workers have mapped or written large arrays of its present run.</summary>
    internal bool UsesArrays { get; set; }

    /// <summary>Work that the pool has of it, and that has not ended.</summary>
    internal HashSet<PoolWork> Works { get; } = [];

    /// <summary>Work that is with the pool's queue or workers.</summary>
    internal int InPool { get; set; }

    /// <summary>Work that waits because others have the pool's workers and this lease has its share.</summary>
    internal Queue<PoolWork> Waiting { get; } = new();

    /// <summary>Completes when no worker executes anything that an abort dropped; set while one is under way.</summary>
    internal TaskCompletionSource? Drained { get; set; }

    internal bool IsEnded { get; set; }

    internal static long NewId() => Interlocked.Increment(ref _lastId);

    internal static long NewHandle() => NewId();

    /// <summary>Drops what waits, ends what runs: within the grace by itself, then by killing its worker.</summary>
    internal Task AbortAsync() => pool.AbortAsync(this);

    /// <summary>Tells workers that get batches from now on where large arrays are.</summary>
    internal void BeginRun(ArraySettings arrays) => pool.BeginRun(this, arrays);

    /// <summary>Tells workers that no more batches of the run come: they give its arrays back.</summary>
    internal void EndRun() => pool.EndRun(this);

    /// <summary>Gives the right back.</summary>
    public void Dispose() => pool.Release(this);
}
