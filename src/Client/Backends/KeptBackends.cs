namespace Orleans.Joblib;

/// <summary>
/// Configured backends between two runs, kept like pooled connections: the next run with equal settings takes one over, disposing its <c>Parallel</c> ends it, and
/// after <see cref="IdleLease"/> unused it ends by itself. So <c>using</c> keeps workers, a loop of runs without it does not start new ones, and nothing lingers.
/// </summary>
/// <remarks>A backend whose workers are being ended is listed until they have: a run that wants the same object waits for that.</remarks>
internal static class KeptBackends
{
    internal static readonly TimeSpan IdleLease = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many are kept at once of loops with equal settings where each has a backend object, or worker processes, of its own: no other takes those over, and a thousand such
    /// loops a second must not leave five thousand. The one that has waited longest ends for another. (Those that others take over are as many as loops were ever busy at once.)
    /// </summary>
    internal const int MostAlike = 4;

    private static readonly Lock Gate = new();
    private static readonly List<Entry> Entries = [];
    private static bool _hasKept;

    /// <summary>A backend for a run: the one that the same <c>Parallel</c> left here, else any with equal settings, which forgets what it learned.</summary>
    internal static ConfiguredBackend? TryTake(BackendKey key, JoblibParallel owner)
    {
        Entry taken;
        lock (Gate)
        {
            var index = Entries.FindIndex(entry => !entry.IsEnding && ReferenceEquals(entry.Owner, owner));
            if (index < 0)
            {
                index = Entries.FindLastIndex(entry => !entry.IsEnding && entry.Backend.Key == key && !entry.Backend.Backend.IsOneLoopsOwn);
            }

            if (index < 0)
            {
                return null;
            }

            taken = Entries[index];
            taken.Expiry!.Dispose();
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

        var entry = new Entry(backend, owner);
        Entry? surplus = null;
        lock (Gate)
        {
            // A timer's callback takes the lock: it cannot run before the entry is in.
            entry.Expiry = new Timer(static e => _ = EndAsync((Entry)e!), entry, IdleLease, Timeout.InfiniteTimeSpan);
            Entries.Add(entry);
            if (Entries.Count > MostAlike && IsOwn(backend) && Entries.Count(IsAlike) > MostAlike)
            {
                surplus = Entries.Find(IsAlike)!;
                surplus.BeginEnd();
            }
        }

        if (surplus is not null)
        {
            _ = TerminateAsync(surplus);
        }

        static bool IsOwn(ConfiguredBackend backend) => backend.Key.Choice.Instance is not null || backend.Backend.IsOneLoopsOwn;

        bool IsAlike(Entry other) => !other.IsEnding && other.Backend.Key.IsAlike(backend.Key);
    }

    /// <summary>Ends the workers of a backend that must not be used again.</summary>
    internal static void End(ConfiguredBackend backend, JoblibParallel owner)
    {
        var entry = new Entry(backend, owner);
        lock (Gate)
        {
            entry.BeginEnd();
            Entries.Add(entry);
        }

        _ = TerminateAsync(entry);
    }

    /// <summary>Ends the workers of a <c>Parallel</c> that is being disposed.</summary>
    internal static Task EndOwnedAsync(JoblibParallel owner) => EndFirstAsync(entry => !entry.IsEnding && ReferenceEquals(entry.Owner, owner));

    /// <summary>Ends the workers that a backend object has kept since its last run: a loop with other settings wants the object now.</summary>
    internal static Task EndIdleAsync(ParallelBackend backend) => EndFirstAsync(entry => ReferenceEquals(entry.Backend.Backend, backend));

    private static Task EndFirstAsync(Predicate<Entry> isIt)
    {
        Entry? found;
        lock (Gate)
        {
            found = Entries.Find(isIt);
        }

        return found is null ? Task.CompletedTask : EndAsync(found);
    }

    /// <summary>Ends a backend's workers if no run has taken it over; completes when they have ended, whoever began it.</summary>
    private static Task EndAsync(Entry entry)
    {
        lock (Gate)
        {
            if (!Entries.Contains(entry) || entry.IsEnding)
            {
                return entry.Ended;
            }

            entry.BeginEnd();
        }

        return TerminateAsync(entry);
    }

    private static async Task TerminateAsync(Entry entry)
    {
        var backend = entry.Backend.Backend;
        try
        {
            await backend.TerminateAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            JoblibLog.TerminateFailed(Joblib.Logger, exception, backend.Name);
        }
        finally
        {
            backend.Leave();
            lock (Gate)
            {
                Entries.Remove(entry);
            }

            entry.HasEnded();
        }
    }

    /// <summary>Its mutable state is behind <see cref="Gate"/>.</summary>
    private sealed class Entry(ConfiguredBackend backend, JoblibParallel owner)
    {
        private TaskCompletionSource? _ended;

        internal ConfiguredBackend Backend => backend;

        internal JoblibParallel Owner => owner;

        internal Timer? Expiry { get; set; }

        internal bool IsEnding => _ended is not null;

        internal Task Ended => _ended?.Task ?? Task.CompletedTask;

        internal void BeginEnd()
        {
            Expiry?.Dispose();
            _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        internal void HasEnded() => _ended!.SetResult();
    }
}
