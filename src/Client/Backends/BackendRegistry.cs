namespace Orleans.Joblib;

/// <summary>The backends that have a name. Thread-safe: state is one immutable table behind a volatile field.</summary>
internal static class BackendRegistry
{
    internal const string Sequential = "sequential";
    internal const string Threading = "threading";
    internal const string Loky = "loky";
    internal const string Multiprocessing = "multiprocessing";
    internal const string Orleans = "orleans";

    private static readonly Lock Gate = new();
    private static readonly Func<ParallelBackend> OfEnvironment = static () => new OrleansBackend(EnvironmentCluster.ClientAsync);
    private static volatile Table _table = new(
        new Dictionary<string, Func<ParallelBackend>>(StringComparer.Ordinal)
        {
            [Sequential] = static () => new SequentialBackend(),
            [Threading] = static () => new ThreadingBackend(),
            [Loky] = static () => new LokyBackend(),
            [Multiprocessing] = static () => new MultiprocessingBackend(),
        },
        Threading);

    internal static string DefaultName => _table.DefaultName;

    internal static IReadOnlyCollection<string> Names => [.. _table.Factories.Keys.Order(StringComparer.Ordinal)];

    internal static Func<ParallelBackend> Find(string name) => _table.Factories.TryGetValue(name, out var factory)
        ? factory
        : name == Orleans && EnvironmentCluster.IsSet ? OfEnvironment : throw Unknown(name);

    internal static void Register(string name, Func<ParallelBackend> factory, bool makeDefault)
    {
        lock (Gate)
        {
            var table = _table;
            _table = new Table(
                new Dictionary<string, Func<ParallelBackend>>(table.Factories, StringComparer.Ordinal) { [name] = factory },
                makeDefault ? name : table.DefaultName);
        }
    }

    /// <summary>Takes a name out again if it still stands for this factory.</summary>
    internal static void Unregister(string name, Func<ParallelBackend> factory)
    {
        lock (Gate)
        {
            var table = _table;
            if (table.Factories.TryGetValue(name, out var registered) && ReferenceEquals(registered, factory))
            {
                var factories = new Dictionary<string, Func<ParallelBackend>>(table.Factories, StringComparer.Ordinal);
                factories.Remove(name);
                _table = new Table(factories, table.DefaultName == name ? Threading : table.DefaultName);
            }
        }
    }

    private static ArgumentException Unknown(string name) => new(
        name switch
        {
            Orleans => $"The backend 'orleans' has no cluster. Set {EnvironmentCluster.Variable} to one ('redis://host:port?cluster=NAME' or 'localhost:gatewayPort'), or call "
                + "Joblib.RegisterOrleans(client) first, with the client of 'await JoblibCluster.ConnectAsync(…)' or of 'await LocalCluster.StartAsync()' from the package Orleans.Joblib.Silo.",
            _ => $"There is no backend '{name}'. Use one of {string.Join(", ", Names.Select(n => $"'{n}'"))}, or register it with Joblib.RegisterParallelBackend.",
        },
        nameof(name))
    {
        HelpLink = "docs/errors.md#unknown-backend",
    };

    private sealed record Table(Dictionary<string, Func<ParallelBackend>> Factories, string DefaultName);
}
