namespace Orleans.Joblib;

/// <summary>Where calls run: a registered name (<c>"sequential"</c>, <c>"threading"</c>, <c>"orleans"</c>, one of your own) or a backend object.</summary>
/// <remarks>Converts from <see cref="string"/> and from <see cref="ParallelBackend"/>. An unknown name is refused when the choice is made.</remarks>
public readonly record struct BackendChoice
{
    private BackendChoice(string name, Func<ParallelBackend>? factory, ParallelBackend? instance)
    {
        Name = name;
        Factory = factory;
        Instance = instance;
    }

    /// <summary>The name that the backend is registered under, or its type's name.</summary>
    public string Name { get; }

    internal Func<ParallelBackend>? Factory { get; }

    internal ParallelBackend? Instance { get; }

    /// <summary>A backend by its registered name.</summary>
    /// <exception cref="ArgumentException">No backend is registered under the name.</exception>
    public static implicit operator BackendChoice(string name) => FromString(name);

    /// <summary>A backend of your own making.</summary>
    public static implicit operator BackendChoice(ParallelBackend backend) => FromParallelBackend(backend);

    /// <summary>A backend by its registered name.</summary>
    /// <exception cref="ArgumentException">No backend is registered under the name.</exception>
    public static BackendChoice FromString(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new BackendChoice(name, BackendRegistry.Find(name), null);
    }

    /// <summary>A backend of your own making.</summary>
    public static BackendChoice FromParallelBackend(ParallelBackend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return new BackendChoice(backend.GetType().Name, null, backend);
    }

    internal ParallelBackend Create(int nestingLevel)
    {
        if (Instance is null && Factory is null)
        {
            throw new ArgumentException("The backend choice is empty. Give a name or a backend object, or leave it out.");
        }

        var backend = Instance ?? Factory!() ?? throw new InvalidOperationException($"The factory of backend '{Name}' returned null. Return a new backend.");
        backend.NestingLevel ??= nestingLevel;
        return backend;
    }
}
