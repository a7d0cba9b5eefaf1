namespace Orleans.Joblib.Silo;

/// <summary>A silo's code cache. Set them with <c>services.Configure&lt;CodeCacheOptions&gt;</c> or bind them to a configuration section; validated once at start.</summary>
public sealed class CodeCacheOptions
{
    /// <summary>The least <see cref="MaxBytes"/>: 16 MiB.</summary>
    public const long LeastMaxBytes = 16L << 20;

    /// <summary>The default of <see cref="MaxBytes"/>: 2 GiB.</summary>
    public const long DefaultMaxBytes = 2L << 30;

    /// <summary>The default of <see cref="IdleTime"/>: 10 min.</summary>
    public static readonly TimeSpan DefaultIdleTime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The cache's directory; silos of one host and user may share it. Made when first needed, for its owner only (0700). Default: null, which is
    /// <c>orleans-joblib/code</c> in <c>$XDG_CACHE_HOME</c>, <c>~/.cache</c>, Windows' local application data, or else the directory for temporary files.
    /// </summary>
    public string? Directory { get; set; }

    /// <summary>The most bytes of the cache, 16 MiB or more. What has not been used for longest makes room; what is in use stays. Default: 2 GiB.</summary>
    public long MaxBytes { get; set; } = DefaultMaxBytes;

    /// <summary>How long code that no run uses stays loaded. 1 s to 7 days. Default: 10 min.</summary>
    public TimeSpan IdleTime { get; set; } = DefaultIdleTime;

    internal string FullDirectory => Path.GetFullPath(Directory ?? Path.Combine(UserCache(), "orleans-joblib", "code"));

    private static string UserCache()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        }

        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache))
        {
            return cache;
        }

        // A service may have no home. The directory for temporary files is everyone's: a name per user, and the store insists on being its owner.
        return Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 1 } home && System.IO.Directory.Exists(home)
            ? Path.Combine(home, ".cache")
            : Path.Combine(Path.GetTempPath(), Environment.UserName);
    }
}
