namespace Orleans.Joblib;

/// <summary>The arguments of one <c>Joblib.Parallel(…)</c> as the user gave them; null = not given.</summary>
internal sealed record ParallelArguments
{
    internal int? NJobs { get; init; }

    internal BackendChoice? Backend { get; init; }

    internal int? Verbose { get; init; }

    internal TimeSpan? Timeout { get; init; }

    internal PreDispatch? PreDispatch { get; init; }

    internal BatchSize? BatchSize { get; init; }

    internal string? TempFolder { get; init; }

    internal MaxNbytes? MaxNbytes { get; init; }

    internal MmapMode? MmapMode { get; init; }

    internal Prefer? Prefer { get; init; }

    internal Require? Require { get; init; }

    internal BackendOptions? BackendOptions { get; init; }

    internal IProgress<RunProgress>? Progress { get; init; }

    /// <summary>Explicit argument over surrounding configuration over default, and every check that needs no worker.</summary>
    /// <param name="backend">The backend, made but not configured.</param>
    /// <remarks>joblib 1.6: <c>Parallel.__init__</c>, <c>_get_active_backend</c>.</remarks>
    internal RunSettings Resolve(out ParallelBackend backend)
    {
        var config = ConfigFrame.Current;
        var prefer = Prefer ?? config.Prefer;
        var require = Require ?? config.Require;
        var verbose = Verbose ?? config.Verbose ?? 0;
        Validate(prefer, require, verbose);
        var choice = Backend ?? Active(ref config, prefer, require, verbose);
        backend = choice.Create(config.NestingLevel);
        if (require == Orleans.Joblib.Require.SharedMemory && !backend.SupportsSharedMemory)
        {
            throw new ArgumentException($"The backend '{backend.Name}' does not share memory, and 'require' asks for it. Use 'threading', or drop 'require'.");
        }

        if (config.InnerMaxNumThreads is not null && Backend is null && !backend.SupportsInnerMaxNumThreads)
        {
            throw new ArgumentException($"The backend '{backend.Name}' cannot limit the threads of inner libraries. Drop 'innerMaxNumThreads', or choose 'threading' or 'orleans'.");
        }

        var nJobs = NJobs ?? config.NJobs ?? backend.DefaultNJobs;
        CheckNJobs(nJobs);
        var settings = new BackendSettings
        {
            NJobs = nJobs,
            Verbose = Math.Max(0, verbose - 50),
            TempFolder = TempFolder ?? config.TempFolder,
            MaxNbytes = MaxNbytes ?? config.MaxNbytes ?? Orleans.Joblib.MaxNbytes.Default,
            MmapMode = MmapMode ?? config.MmapMode ?? Orleans.Joblib.MmapMode.ReadOnly,
            Prefer = prefer,
            Require = require,
            InnerMaxNumThreads = Backend is null ? config.InnerMaxNumThreads : null,
            Options = BackendOptions ?? (Backend is null ? config.BackendOptions : null),
            HasTimeout = Timeout is not null,
        };
        return new RunSettings
        {
            Backend = new BackendKey(choice, backend.NestingLevel ?? 0, settings, ThreadCap.Current),
            Verbose = verbose,
            Timeout = Timeout,
            PreDispatch = PreDispatch ?? Orleans.Joblib.PreDispatch.Default,
            BatchSize = BatchSize ?? Orleans.Joblib.BatchSize.Auto,
            Progress = Progress,
        };
    }

    internal static void CheckNJobs(int nJobs)
    {
        if (nJobs == 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(nJobs), nJobs, "nJobs must not be '0'. Use '1' for this thread or '-1' for every slot.");
        }
    }

    internal static void CheckDefined<TEnum>(TEnum? value, string name)
        where TEnum : struct, Enum
    {
        if (value is { } given && !Enum.IsDefined(given))
        {
            throw new ArgumentOutOfRangeException(
                name, given, $"{name} must not be '{given}'. Use {string.Join(" or ", Enum.GetNames<TEnum>().Select(n => $"'{typeof(TEnum).Name}.{n}'"))}.");
        }
    }

    internal static void CheckVerbose(int? verbose)
    {
        if (verbose < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(verbose), verbose, $"verbose must not be '{verbose}'. Use '0' for silence or more for more lines.");
        }
    }

    private static void Validate(Prefer? prefer, Require? require, int verbose)
    {
        CheckDefined(prefer, nameof(prefer));
        CheckDefined(require, nameof(require));
        CheckVerbose(verbose);
        if (prefer == Orleans.Joblib.Prefer.Processes && require == Orleans.Joblib.Require.SharedMemory)
        {
            throw new ArgumentException("'prefer: Prefer.Processes' and 'require: Require.SharedMemory' contradict each other: processes do not share memory. Drop one.");
        }
    }

    /// <summary>The backend where the caller named none: the configuration's, unless a hint or a constraint says otherwise.</summary>
    private static BackendChoice Active(ref ConfigFrame config, Prefer? prefer, Require? require, int verbose)
    {
        if (config.Backend is { } configured)
        {
            var backend = configured.Create(config.NestingLevel);
            if (require != Orleans.Joblib.Require.SharedMemory || backend.SupportsSharedMemory)
            {
                return configured;
            }

            if (verbose >= ProgressPrinter.BackendVerbosity)
            {
                Console.Out.WriteLine($"Using ThreadingBackend as joblib backend instead of {backend.GetType().Name} as the latter does not provide shared memory semantics.");
            }

            // joblib: a loop that is moved to threads against its configuration gets the configuration's nJobs no more.
            config = config with { NJobs = 1 };
            return BackendRegistry.Threading;
        }

        BackendChoice standard = BackendRegistry.DefaultName;
        if (prefer is null && require is null)
        {
            return standard;
        }

        var made = standard.Create(config.NestingLevel);
        if (require == Orleans.Joblib.Require.SharedMemory && !made.SupportsSharedMemory)
        {
            config = config with { NJobs = config.NJobs ?? 1 };
            return BackendRegistry.Threading;
        }

        return prefer switch
        {
            Orleans.Joblib.Prefer.Threads when !made.UsesThreads => BackendRegistry.Threading,
            Orleans.Joblib.Prefer.Processes when made.UsesThreads => BackendRegistry.Loky,
            _ => standard,
        };
    }
}
