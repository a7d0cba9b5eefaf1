namespace Orleans.Joblib.Silo;

/// <summary>The arrays that a batch in hand refers to: they stay here until it is disposed. Thread-safe.</summary>
/// <param name="files">This host's file of each, by the name that the batch has for it; null where it refers to none.</param>
/// <param name="release">Ends the use.</param>
internal sealed class ArrayUse(IReadOnlyDictionary<string, string>? files, Action? release) : IDisposable
{
    internal static readonly ArrayUse OfNone = new(null, null);

    private Action? _release = release;

    internal IReadOnlyDictionary<string, string>? Files => files;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
