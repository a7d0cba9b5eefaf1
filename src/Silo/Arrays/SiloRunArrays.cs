namespace Orleans.Joblib.Silo;

/// <summary>The large arrays of one loop of a client on this silo: those that were brought here for its calls, and those of its results that the client has not got yet. Thread-safe.</summary>
/// <remarks><c>_gate</c> guards all. What calls on threads have mapped is given back when the loop has ended and none of its batches is executed any more: a call that was given up may still write.</remarks>
internal sealed class SiloRunArrays : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ArrayLease> _brought = new(StringComparer.Ordinal);
    private readonly Dictionary<long, KeptResults> _results = [];
    private readonly WorkerArrays _worker;
    private readonly Action _hasMapped;
    private int _executing;
    private bool _hasEnded;

    internal SiloRunArrays(ArraySession session, ArraySettings settings, SharedBlobs? resultBlobs, bool isShared, Action hasMapped)
    {
        Session = session;
        Settings = settings;
        ResultBlobs = resultBlobs;
        IsShared = isShared;
        _hasMapped = hasMapped;
        _worker = new WorkerArrays(settings);
        ArrayStores.Expect(settings);
    }

    internal ArraySession Session { get; }

    internal ArraySettings Settings { get; }

    /// <summary>Where large results go; null when the client asks this silo for them.</summary>
    internal SharedBlobs? ResultBlobs { get; }

    /// <summary>Whether the client finds results by their files.</summary>
    internal bool IsShared { get; }

    internal ArrayStore Store => ArrayStores.Of(Settings);

    internal bool KeepsResults
    {
        get
        {
            lock (_gate)
            {
                return _results.Count > 0;
            }
        }
    }

    internal bool Has(string path)
    {
        lock (_gate)
        {
            return _brought.ContainsKey(path);
        }
    }

    /// <summary>Keeps an array that is here now.</summary>
    /// <returns>False when the loop has ended.</returns>
    internal bool TryBring(string path, ArrayLease lease)
    {
        lock (_gate)
        {
            if (!_hasEnded && _brought.TryAdd(path, lease))
            {
                return true;
            }
        }

        lease.Dispose();
        return !_hasEnded;
    }

    /// <summary>This host's files of arrays that a batch refers to.</summary>
    /// <returns>False when one is not here.</returns>
    internal bool TryFind(string[]? paths, out IReadOnlyDictionary<string, string>? here)
    {
        here = null;
        if (paths is null or [])
        {
            return true;
        }

        var found = new Dictionary<string, string>(paths.Length, StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var path in paths)
            {
                if (!_brought.TryGetValue(path, out var lease))
                {
                    return false;
                }

                found[path] = lease.Segment.Path;
            }
        }

        here = found;
        return true;
    }

    /// <summary>A batch is about to be executed on a thread.</summary>
    /// <returns>Where it finds arrays; null when the loop has ended. <see cref="Leave"/> follows.</returns>
    internal WorkerArrays? Enter()
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return null;
            }

            _executing++;
            return _worker;
        }
    }

    internal void Leave()
    {
        lock (_gate)
        {
            if (--_executing > 0 || !_hasEnded)
            {
                return;
            }
        }

        EndWorker();
    }

    /// <summary>Keeps the results of a batch until the client has them. Those of an earlier time that it was executed, which the client could not fetch, go.</summary>
    /// <returns>False when the loop has ended: they are gone.</returns>
    internal bool TryKeep(long batch, KeptResults results)
    {
        KeptResults? unwanted;
        lock (_gate)
        {
            if (_hasEnded)
            {
                unwanted = results;
            }
            else
            {
                _results.Remove(batch, out unwanted);
                _results.Add(batch, results);
            }
        }

        _ = unwanted?.ReleaseAsync();
        return !ReferenceEquals(unwanted, results);
    }

    internal KeptResults? Results(long batch)
    {
        lock (_gate)
        {
            return _results.GetValueOrDefault(batch);
        }
    }

    internal void Taken(long batch)
    {
        KeptResults? results;
        lock (_gate)
        {
            _results.Remove(batch, out results);
        }

        _ = results?.ReleaseAsync();
    }

    public void Dispose()
    {
        ArrayLease[] brought;
        KeptResults[] results;
        bool isIdle;
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            _hasEnded = true;
            isIdle = _executing == 0;
            brought = [.. _brought.Values];
            results = [.. _results.Values];
            _results.Clear();
        }

        foreach (var one in results)
        {
            _ = one.ReleaseAsync();
        }

        if (isIdle)
        {
            EndWorker();
        }

        foreach (var lease in brought)
        {
            lease.Dispose();
        }
    }

    private void EndWorker()
    {
        if (_worker.HasMapped)
        {
            _hasMapped();
        }

        _worker.Dispose();
    }
}
