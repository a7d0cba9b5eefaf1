using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>joblib's functions: <c>using static Orleans.Joblib.Joblib;</c>.</summary>
/// <remarks>All members are thread-safe. With this <c>using static</c>, .NET's own loops are reached as <c>System.Threading.Tasks.Parallel</c>.</remarks>
public static partial class Joblib
{
    private static readonly StandardErrorLogger StandardError = new();
    private static ILoggerFactory? _loggerFactory = WorkerLog.Factory;
    private static ILogger _logger = WorkerLog.Factory?.CreateLogger("Orleans.Joblib") ?? StandardError;

    /// <summary>Where runs log and warn, under the category <c>Orleans.Joblib</c>. Default: null, which puts warnings on standard error and nothing else anywhere.</summary>
    public static ILoggerFactory? LoggerFactory
    {
        get => _loggerFactory;
        set
        {
            _loggerFactory = value;
            _logger = value?.CreateLogger("Orleans.Joblib") ?? (ILogger)StandardError;
        }
    }

    internal static ILogger Logger => _logger;

    internal static ILogger LoggerOf(string category) => _loggerFactory?.CreateLogger(category) ?? StandardError;

    /// <summary>A parallel loop. Every argument left out is decided by a surrounding <see cref="ParallelConfig"/>, else by its default.</summary>
    /// <param name="nJobs">Calls made at once: 1 for this thread, n for n workers, −1 for all, −2 for all but one. Default: the backend's, 1 for local ones.</param>
    /// <param name="backend">Where: <c>"threading"</c> (default), <c>"sequential"</c>, <c>"orleans"</c>, a registered name, or a backend object.</param>
    /// <param name="verbose">Progress lines: 0 (default) for none, 1 to 10 for more and more, above 10 for one per batch; to standard error, from 50 to standard output.</param>
    /// <param name="timeout">The longest that one call may take, counted from its own start. Default: none. Not applied, with a warning, where one job runs on the calling thread.</param>
    /// <param name="preDispatch">Calls taken from the sequence before the first has ended. Default: <c>"2*n_jobs"</c>.</param>
    /// <param name="batchSize">Calls that a worker receives at once. Default: <c>"auto"</c>.</param>
    /// <param name="tempFolder">Folder for memory-mapped arrays. Default: the backend's choice.</param>
    /// <param name="maxNbytes">The size above which an array is shared as a memory-mapped file. Default: <c>"1M"</c>.</param>
    /// <param name="mmapMode">How workers see shared arrays. Default: read only.</param>
    /// <param name="prefer">The kind of workers, where no backend is named here or by <see cref="ParallelConfig"/>.</param>
    /// <param name="require">A constraint on the backend.</param>
    /// <param name="backendOptions">Settings that only the backend knows.</param>
    /// <param name="progress">Told of every call that ends, in order, one at a time, on the thread that noticed. What it throws fails the run.</param>
    /// <exception cref="ArgumentException">An argument is out of its range or contradicts another, or the backend is unknown. Nothing has been started.</exception>
    /// <remarks>joblib 1.6: <c>Parallel</c>.</remarks>
    public static JoblibParallel Parallel(
        int? nJobs = null,
        BackendChoice? backend = null,
        int? verbose = null,
        TimeSpan? timeout = null,
        PreDispatch? preDispatch = null,
        BatchSize? batchSize = null,
        string? tempFolder = null,
        MaxNbytes? maxNbytes = null,
        MmapMode? mmapMode = null,
        Prefer? prefer = null,
        Require? require = null,
        BackendOptions? backendOptions = null,
        IProgress<RunProgress>? progress = null)
    {
        ParallelArguments.CheckDefined(mmapMode, nameof(mmapMode));
        if (timeout <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, $"timeout must not be '{timeout}'. Use a positive time, or leave it out for none.");
        }

        return new JoblibParallel(new ParallelArguments
        {
            NJobs = nJobs,
            Backend = backend,
            Verbose = verbose,
            Timeout = timeout,
            PreDispatch = preDispatch,
            BatchSize = batchSize,
            TempFolder = tempFolder,
            MaxNbytes = maxNbytes,
            MmapMode = mmapMode,
            Prefer = prefer,
            Require = require,
            BackendOptions = backendOptions,
            Progress = progress,
        });
    }

    /// <summary>Sets what loops use that do not say themselves, until disposed: loops in libraries too, through awaits too.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="nJobs">Calls made at once.</param>
    /// <param name="verbose">Progress lines.</param>
    /// <param name="tempFolder">Folder for memory-mapped arrays.</param>
    /// <param name="maxNbytes">The size above which an array is shared.</param>
    /// <param name="mmapMode">How workers see shared arrays.</param>
    /// <param name="prefer">The kind of workers, where no backend is named.</param>
    /// <param name="require">A constraint on the backend.</param>
    /// <param name="innerMaxNumThreads">Threads that a library inside a call may start; needs <paramref name="backend"/>, and one that supports it.</param>
    /// <param name="backendOptions">Settings that only the backend knows; needs <paramref name="backend"/>.</param>
    /// <returns>Dispose it to put back what held before. Nested ones inherit what they leave out.</returns>
    /// <exception cref="ArgumentException">An argument is out of its range or contradicts another, or the backend is unknown.</exception>
    /// <remarks>joblib 1.6: <c>parallel_config</c>. Flows with the execution context where joblib's is per thread.</remarks>
    public static IDisposable ParallelConfig(
        BackendChoice? backend = null,
        int? nJobs = null,
        int? verbose = null,
        string? tempFolder = null,
        MaxNbytes? maxNbytes = null,
        MmapMode? mmapMode = null,
        Prefer? prefer = null,
        Require? require = null,
        int? innerMaxNumThreads = null,
        BackendOptions? backendOptions = null)
    {
        ParallelArguments.CheckDefined(mmapMode, nameof(mmapMode));
        ParallelArguments.CheckDefined(prefer, nameof(prefer));
        ParallelArguments.CheckDefined(require, nameof(require));
        ParallelArguments.CheckVerbose(verbose);
        if (nJobs is { } jobs)
        {
            ParallelArguments.CheckNJobs(jobs);
        }

        if (innerMaxNumThreads < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(innerMaxNumThreads), innerMaxNumThreads, $"innerMaxNumThreads must not be '{innerMaxNumThreads}'. Use '1' or more threads.");
        }

        if (backend is null && (innerMaxNumThreads is not null || backendOptions is not null))
        {
            throw new ArgumentException("'innerMaxNumThreads' and 'backendOptions' are for a backend. Name it with 'backend'.");
        }

        var outer = ConfigFrame.Current;
        if (innerMaxNumThreads is not null && !backend!.Value.Create(outer.NestingLevel).SupportsInnerMaxNumThreads)
        {
            throw new ArgumentException($"The backend '{backend.Value.Name}' cannot limit the threads of inner libraries. Drop 'innerMaxNumThreads'.", nameof(innerMaxNumThreads));
        }

        return new ConfigScope(outer with
        {
            Backend = backend ?? outer.Backend,
            NJobs = nJobs ?? outer.NJobs,
            Verbose = verbose ?? outer.Verbose,
            TempFolder = tempFolder ?? outer.TempFolder,
            MaxNbytes = maxNbytes ?? outer.MaxNbytes,
            MmapMode = mmapMode ?? outer.MmapMode,
            Prefer = prefer ?? outer.Prefer,
            Require = require ?? outer.Require,
            InnerMaxNumThreads = backend is null ? outer.InnerMaxNumThreads : innerMaxNumThreads,
            BackendOptions = backend is null ? outer.BackendOptions : backendOptions,
        });
    }

    /// <summary>Makes a backend known by name, or replaces one.</summary>
    /// <param name="name">The name that <c>backend:</c> takes.</param>
    /// <param name="factory">Makes a backend that is not yet configured: a new one at each call. Called at least once for each <c>Parallel</c> that uses the name.</param>
    /// <param name="makeDefault">Whether loops that name no backend use it. Default: no.</param>
    /// <remarks>joblib 1.6: <c>register_parallel_backend</c>.</remarks>
    public static void RegisterParallelBackend(string name, Func<ParallelBackend> factory, bool makeDefault = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        BackendRegistry.Register(name, factory, makeDefault);
    }

    /// <summary>Cores that this process may use: affinity, the container's quota (rounded up) and <c>LOKY_MAX_CPU_COUNT</c> counted in. Inside a call: the threads that the call may use.</summary>
    /// <param name="onlyPhysicalCores">Whether hyper-threads of one core count once; ignored where a limit is lower than the machine's cores. Default: no.</param>
    /// <returns>1 or more.</returns>
    /// <remarks>
    /// A call that sizes something by it, <c>WithDegreeOfParallelism(Joblib.CpuCount())</c> say, takes no more than its share: <c>innerMaxNumThreads</c>, else the cores
    /// divided by the jobs. joblib 1.6: <c>cpu_count</c>, which inside a call counts all cores.
    /// </remarks>
    public static int CpuCount(bool onlyPhysicalCores = false) => ThreadCap.Cores(onlyPhysicalCores);

    /// <summary>The jobs that a number amounts to under the present configuration.</summary>
    /// <param name="nJobs">1 or more, or negative; null for the configuration's. Default: −1.</param>
    /// <returns>1 or more; 0 when the backend is a cluster without workers.</returns>
    /// <exception cref="ArgumentOutOfRangeException">0.</exception>
    /// <exception cref="JoblibException">The backend is a cluster that does not answer.</exception>
    /// <remarks>joblib 1.6: <c>effective_n_jobs</c>. Asks the cluster, and waits for its answer, when the backend is one.</remarks>
    public static int EffectiveNJobs(int? nJobs = -1)
    {
        if (nJobs is { } jobs)
        {
            ParallelArguments.CheckNJobs(jobs);
        }

        var settings = new ParallelArguments { NJobs = nJobs }.Resolve(out var backend);
        var asked = settings.Backend.Settings.NJobs;
        return asked == 1 ? 1 : backend.EffectiveNJobs(asked);
    }
}
