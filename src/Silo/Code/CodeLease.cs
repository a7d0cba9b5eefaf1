namespace Orleans.Joblib.Silo;

/// <summary>The right to use a loaded code set; while one is held, it stays loaded. Dispose it once, when no call of it runs any more.</summary>
internal sealed class CodeLease(CodeContexts contexts, LoadedCode code) : IDisposable
{
    private LoadedCode? _code = code;

    /// <summary>The code set's assemblies. The same object for every lease of a code set while it stays loaded, so what is compiled per code set can be kept by it, weakly.</summary>
    internal ICodeResolver Resolver => (_code ?? throw new ObjectDisposedException(nameof(CodeLease))).Context;

    /// <summary>The code set's assemblies for worker processes; one object while it stays loaded.</summary>
    internal CodeContext Context => (_code ?? throw new ObjectDisposedException(nameof(CodeLease))).Context;

    /// <summary>The same right once more, to be disposed for itself.</summary>
    internal CodeLease Share() => contexts.Lease(_code ?? throw new ObjectDisposedException(nameof(CodeLease)));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _code, null) is { } code)
        {
            contexts.Release(code);
        }
    }
}
