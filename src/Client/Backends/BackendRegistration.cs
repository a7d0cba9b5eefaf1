namespace Orleans.Joblib;

/// <summary>A name in the registry for as long as its owner wants it there.</summary>
internal sealed class BackendRegistration : IDisposable
{
    private readonly string _name;
    private readonly Func<ParallelBackend> _factory;

    internal BackendRegistration(string name, Func<ParallelBackend> factory, bool makeDefault = false)
    {
        _name = name;
        _factory = factory;
        BackendRegistry.Register(name, factory, makeDefault);
    }

    public void Dispose() => BackendRegistry.Unregister(_name, _factory);
}
