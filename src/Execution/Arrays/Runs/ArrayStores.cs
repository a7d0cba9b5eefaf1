using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>The array stores of this process, one for each list of folders: all runs share them. Thread-safe.</summary>
internal static class ArrayStores
{
    private static readonly ConcurrentDictionary<string, Lazy<ArrayStore>> Stores = new(StringComparer.Ordinal);

    private static readonly TimeSpan LongestEnd = TimeSpan.FromMilliseconds(500);
    private static readonly ConcurrentDictionary<string, byte> Parents = new(StringComparer.Ordinal);

    /// <summary>Raised, without any lock held, when room or a segment is wanted that workers may still have mapped.</summary>
    internal static event Action? Reclaiming;

    static ArrayStores() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        // Workers have what they use locked until they are gone.
        LiveWorkers.End(LongestEnd);
        Close();
    };

    /// <exception cref="JoblibException">None of the folders can be used.</exception>
    internal static ArrayStore Of(ArraySettings settings) => Of(settings.Parents, settings.StoreBytes);

    /// <exception cref="JoblibException">None of the folders can be used.</exception>
    internal static ArrayStore Of(IReadOnlyList<string> parents, long? maxBytes = null)
    {
        var key = string.Join('\0', parents) + (maxBytes is null ? "" : $"\0{maxBytes}");
        var store = Stores.GetOrAdd(key, static (_, of) => new Lazy<ArrayStore>(() => new ArrayStore(of.parents, of.maxBytes)), (parents, maxBytes));
        try
        {
            return store.Value;
        }
        catch (Exception)
        {
            // The folder may be mended before the next run.
            Stores.TryRemove(new KeyValuePair<string, Lazy<ArrayStore>>(key, store));
            throw;
        }
    }

    /// <summary>Says that processes which this one started may leave arrays in these folders.</summary>
    internal static void Expect(ArraySettings settings)
    {
        foreach (var parent in settings.Parents)
        {
            Parents.TryAdd(parent, 0);
        }
    }

    /// <summary>Removes what processes that were killed have left in all folders that this one has to do with.</summary>
    internal static void Sweep() => Sweep(removes: false);

    /// <summary>Gives back what no run uses, and removes what processes that were killed have left.</summary>
    internal static void Tidy(long maxIdleBytes)
    {
        foreach (var store in Open())
        {
            store.Trim(maxIdleBytes);
            store.Sweep();
        }
    }

    /// <summary>Asks the workers of this process to let go of arrays that no call of theirs refers to any more; some milliseconds later they have.</summary>
    /// <returns>Whether there is anybody to ask.</returns>
    internal static bool Reclaim()
    {
        var asked = Reclaiming;
        asked?.Invoke();
        return asked is not null;
    }

    /// <summary>This process ends, or is told to: what it holds, and nobody else, goes.</summary>
    internal static void Close()
    {
        foreach (var store in Open())
        {
            store.Abandon();
        }

        SegmentLock.ReleaseAll();
        Sweep(removes: true);
    }

    private static void Sweep(bool removes)
    {
        foreach (var parent in Parents.Keys)
        {
            StoreFolder.SweepBelow(parent, removes);
        }
    }

    private static IEnumerable<ArrayStore> Open() => Stores.Values.Where(store => store.IsValueCreated).Select(store => store.Value);
}
