namespace Orleans.Joblib;

/// <summary>Puts back what held before a <c>ParallelConfig</c>.</summary>
internal sealed class ConfigScope : IDisposable
{
    private readonly ConfigFrame _previous;
    private bool _disposed;

    internal ConfigScope(ConfigFrame frame)
    {
        _previous = ConfigFrame.Current;
        ConfigFrame.Current = frame;
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            ConfigFrame.Current = _previous;
        }
    }
}
