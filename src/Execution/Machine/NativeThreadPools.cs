using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>
/// The thread pools of native libraries in this process. Those that count for the process have the smallest number that a working worker asks for, and what they had
/// before when none works. .NET's own loops are made to ask as long.
/// </summary>
/// <remarks>Everything is behind <c>Gate</c>, but <c>_version</c> and <c>_lookedAt</c>, which say whether there is anything to do. The gate is held while libraries are called: they do not call back.</remarks>
internal static class NativeThreadPools
{
    private static readonly Lock Gate = new();
    private static readonly HashSet<string> KnownPaths = new(StringComparer.Ordinal);
    private static readonly Dictionary<ThreadLimit, int> Holders = [];
    private static readonly Dictionary<NativeThreadPool, int> Originals = [];
    private static readonly long LookTicks = (long)(LoadedLibraries.LookPeriod.TotalSeconds * Stopwatch.Frequency);
    private static NativeThreadPool[] _pools = [];
    private static long _libraries = -1;
    private static long _lookedAt = long.MinValue / 2;
    private static int _version;

    /// <summary>Changes when a pool was found.</summary>
    internal static int Version => Volatile.Read(ref _version);

    /// <summary>The pools found so far.</summary>
    internal static IReadOnlyList<NativeThreadPool> All => Volatile.Read(ref _pools);

    /// <summary>Looks for pools that were loaded since the last look, where that is long enough ago.</summary>
    /// <param name="now">A timestamp of <see cref="Stopwatch"/>.</param>
    internal static void Look(long now)
    {
        // One thread looks; the others have what it found at their next look.
        if (now - Volatile.Read(ref _lookedAt) >= LookTicks && Gate.TryEnter())
        {
            try
            {
                Find(now);
            }
            finally
            {
                Gate.Exit();
            }
        }
    }

    /// <inheritdoc cref="Look"/>
    internal static void LookNow()
    {
        lock (Gate)
        {
            Find(Stopwatch.GetTimestamp());
        }
    }

    /// <summary>A worker begins to work under a limit; a matching <see cref="Release"/> follows.</summary>
    internal static void Hold(ThreadLimit limit)
    {
        lock (Gate)
        {
            if (Holders.Count == 0)
            {
                CallTaskScheduler.Install(true);
            }

            Holders[limit] = Holders.GetValueOrDefault(limit) + 1;
            Apply();
        }
    }

    /// <summary>The worker has ended, or has nothing to do.</summary>
    internal static void Release(ThreadLimit limit)
    {
        lock (Gate)
        {
            if (--Holders[limit] == 0)
            {
                Holders.Remove(limit);
                if (Holders.Count == 0)
                {
                    CallTaskScheduler.Install(false);
                }

                Apply();
            }
        }
    }

    /// <summary>A library's threads under a limit: the caller's environment stays unless he asked, and nothing is raised unless he asked.</summary>
    internal static int Threads(NativeThreadPool pool, int original, ThreadLimit limit) =>
        limit.Asked ? limit.Threads : pool.IsSetByUser ? original : Math.Min(original, limit.Threads);

    // With the gate held.
    private static void Find(long now)
    {
        Volatile.Write(ref _lookedAt, now);
        var libraries = LoadedLibraries.Version();
        if (libraries == _libraries)
        {
            return;
        }

        _libraries = libraries;
        NativeThreadPool[] found = [.. LoadedLibraries.Paths().Where(KnownPaths.Add).SelectMany(NativeThreadPool.In)];
        if (found.Length > 0)
        {
            Volatile.Write(ref _pools, [.. _pools, .. found]);
            Apply();
            Volatile.Write(ref _version, _version + 1);
        }
    }

    // With the gate held.
    private static void Apply()
    {
        foreach (var pool in _pools)
        {
            if (pool.IsPerThread)
            {
                continue;
            }

            if (Holders.Count == 0)
            {
                if (Originals.Remove(pool, out var before))
                {
                    pool.Set(before);
                }

                continue;
            }

            if (!Originals.TryGetValue(pool, out var original))
            {
                Originals.Add(pool, original = pool.Threads);
            }

            var threads = Holders.Keys.Min(limit => Threads(pool, original, limit));
            if (pool.Threads != threads)
            {
                pool.Set(threads);
            }
        }
    }
}
