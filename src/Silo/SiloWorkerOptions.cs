namespace Orleans.Joblib.Silo;

/// <summary>The workers of a silo. Set them in <c>AddJoblibWorkers</c> or bind them to a configuration section yourself; validated once at start.</summary>
public sealed class SiloWorkerOptions
{
    /// <summary>The most workers of a silo: 4,096.</summary>
    public const int MostSlots = 4096;

    /// <summary>The default of <see cref="SlotsPerCore"/>: 1.</summary>
    public const double DefaultSlotsPerCore = 1;

    /// <summary>The default of <see cref="IdleWorkerTimeout"/>: 60 s.</summary>
    public static readonly TimeSpan DefaultIdleWorkerTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The longest <see cref="IdleWorkerTimeout"/>: 30 days.</summary>
    internal static readonly TimeSpan LongestIdleWorkerTimeout = TimeSpan.FromDays(30);

    /// <summary>Workers for each core that the silo may use, rounded up: the thread cap. 0.01 to 1,024. Default: 1.</summary>
    public double SlotsPerCore { get; set; } = DefaultSlotsPerCore;

    /// <summary>Workers in all, 1 to 4,096; overrides <see cref="SlotsPerCore"/>, for calls that wait more than they compute. Default: null.</summary>
    public int? Slots { get; set; }

    /// <summary>
    /// What calls run on: threads of the silo, or processes that the silo starts for runs of the same code. Default: threads. A run may ask for processes on any silo, with
    /// <c>prefer: Prefer.Processes</c>; none gets threads where this says processes.
    /// </summary>
    public WorkerKind Workers { get; set; }

    /// <summary>
    /// How long worker processes whose last run has ended wait for the next one of the same code, which then need not start its own; zero: they end with their run. When other code comes,
    /// they end at once. 0 s to 30 days. Default: 60 s.
    /// </summary>
    public TimeSpan IdleWorkerTimeout { get; set; } = DefaultIdleWorkerTimeout;

    /// <summary>
    /// The Python that executes calls of Python programs: an executable in whose environment the package joblib-orleans is installed, by its path or a name on PATH. Default: null, and the
    /// silo takes no such calls. They run in worker processes, whatever <see cref="Workers"/> says.
    /// </summary>
    public string? Python { get; set; }

    /// <summary>
    /// Whether others than this library see to it that only members of the cluster reach this silo: its own TLS middleware, a closed network. Default: false, and a silo that listens on
    /// another than a loopback address without <c>UseJoblibTls</c> does not start.
    /// </summary>
    public bool TrustNetwork { get; set; }

    /// <summary>Whether <c>UseJoblibTls</c> was called.</summary>
    internal bool HasTls { get; set; }

    /// <summary>What this silo says it speaks; tests of a mismatch set another.</summary>
    internal int Protocol { get; set; } = JoblibProtocol.Version;

    /// <summary>The workers that these options amount to on this machine.</summary>
    internal int SlotCount => Slots ?? (int)Math.Clamp(Math.Ceiling(SlotsPerCore * CpuCounter.Count(onlyPhysicalCores: false)), 1, MostSlots);
}
