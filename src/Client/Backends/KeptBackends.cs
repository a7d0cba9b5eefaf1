namespace Orleans.Joblib;

/// <summary>
/// Configured backends between two runs, kept like pooled connections: the next run with equal settings takes one over, disposing its <c>Parallel</c> ends it, and
/// after <see cref="IdleLease"/> unused it ends by itself. So <c>using</c> keeps workers, a loop of runs without it does not start new ones, and nothing lingers.
/// </summary>
internal static class KeptBackends
{
    internal static readonly TimeSpan IdleLease = TimeSpan.FromSeconds(5);

    private static readonly Lock Gate = new();
    private static readonly List<Entry> Entries = [];
    private static bool _hasKept;

    /// <summary>A backend for a run: the one that the same <c>Parallel</c> left here, else any with equal settings, which forgets what it learned.</summary>
    internal static ConfiguredBackend? TryTake(BackendKey key, JoblibParallel owner)
    {
        Entry taken;
        lock (Gate)
        {
            var index = Entries.FindIndex(entry => ReferenceEquals(entry.Owner, owner));
            if (index < 0)
            {
                index = Entries.FindLastIndex(entry => entry.Backend.Key == key && !entry.Backend.Backend.IsOneLoopsOwn);
            }

            if (index < 0)
            {
                return null;
            }

            taken = Entries[index];
            taken.Expiry.Dispose();
            Entries.RemoveAt(index);
        }

        if (!ReferenceEquals(taken.Owner, owner))
        {
            taken.Backend.Backend.Forget();
        }

        return taken.Backend;
    }

    /// <param name="backend">A backend that no run uses.</param>
    /// <param name="owner">Whose run was its last: whoever had it before and lost it to this one has no say in its end.</param>
    internal static void Keep(ConfiguredBackend backend, JoblibParallel owner)
    {
        if (!Interlocked.Exchange(ref _hasKept, true))
        {
            // Comparing keys is a millisecond and a half of compilation, which need not be the second run's.
            ThreadPool.UnsafeQueueUserWorkItem(static key => key.Equals(key with { Settings = key.Settings with { } }), backend.Key, preferLocal: false);
        }

        lock (Gate)
        {
            // A timer's callback takes the lock: it cannot run before the entry is in.
            var expiry = new Timer(static b => _ = EndAsync((ConfiguredBackend)b!), backend, IdleLease, Timeout.InfiniteTimeSpan);
            Entries.Add(new Entry(backend, owner, expiry));
        }
    }

    /// <summary>Ends a backend's workers if no run has taken it over.</summary>
    internal static async Task EndAsync(ConfiguredBackend backend)
    {
        lock (Gate)
        {
            var index = Entries.FindIndex(entry => ReferenceEquals(entry.Backend, backend));
            if (index < 0)
            {
                return;
            }

            Entries[index].Expiry.Dispose();
            Entries.RemoveAt(index);
        }

        await TerminateAsync(backend).ConfigureAwait(false);
    }

    /// <summary>Ends the workers of a <c>Parallel</c> that is being disposed.</summary>
    internal static Task EndOwnedAsync(JoblibParallel owner) => EndFirstAsync(entry => ReferenceEquals(entry.Owner, owner));

    /// <summary>Ends the workers that a backend object has kept since its last run: a loop with other settings wants the object now.</summary>
    internal static Task EndIdleAsync(ParallelBackend backend) => EndFirstAsync(entry => ReferenceEquals(entry.Backend.Backend, backend));

    internal static async Task TerminateAsync(ConfiguredBackend backend)
    {
        try
        {
            await backend.Backend.TerminateAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            JoblibLog.TerminateFailed(Joblib.Logger, exception, backend.Backend.Name);
        }
        finally
        {
            backend.Backend.Leave();
        }
    }

    private static Task EndFirstAsync(Predicate<Entry> isIt)
    {
        ConfiguredBackend? found;
        lock (Gate)
        {
            found = Entries.Find(isIt)?.Backend;
        }

        return found is null ? Task.CompletedTask : EndAsync(found);
    }

    private sealed record Entry(ConfiguredBackend Backend, JoblibParallel Owner, Timer Expiry);
}
