namespace Orleans.Joblib.Silo;

/// <summary>A context with its users. Guarded by <see cref="CodeContexts"/>.</summary>
internal sealed class LoadedCode(CodeContext context)
{
    internal CodeContext Context { get; } = context;

    /// <summary>The code sets that it serves: one, and those that grew out of it.</summary>
    internal List<CodeHash> Ids { get; } = [];

    internal int Leases { get; set; }

    /// <summary>When it was last taken, given back or registered.</summary>
    internal long UsedAt { get; set; }
}
