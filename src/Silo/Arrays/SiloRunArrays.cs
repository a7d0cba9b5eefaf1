namespace Orleans.Joblib.Silo;

/// <summary>The large arrays of one loop of a client on this silo: those that were brought here for its calls, and those of its results that the client has not got yet. Thread-safe.</summary>
/// <remarks>
/// <c>_gate</c> guards all. An array that was brought is needed until the batch that it was brought for has come, and as long as batches in hand refer to it; after that it stays for batches to
/// come, until its room is wanted. A batch that finds one gone has its client bring it again. What calls on threads have mapped is given back when the loop has ended and none of its batches is executed any more: a call that was given up may still write.
/// </remarks>
internal sealed class SiloRunArrays : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Brought> _brought = new(StringComparer.Ordinal);
    private readonly Dictionary<long, KeptResults> _results = [];
    private readonly WorkerArrays _worker;
    private readonly SiloArrays _silo;
    private int _executing;
    private long _uses;
    private bool _hasEnded;

    internal SiloRunArrays(ArraySession session, ArraySettings settings, SharedBlobs? resultBlobs, bool isShared, SiloArrays silo)
    {
        Session = session;
        Settings = settings;
        ResultBlobs = resultBlobs;
        IsShared = isShared;
        _silo = silo;
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

    /// <summary>Whether the loop has ended: nobody wants what its batches would do.</summary>
    internal bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _hasEnded;
            }
        }
    }

    /// <summary>Whether an array is here, for a batch that comes.</summary>
    internal bool Has(string path)
    {
        lock (_gate)
        {
            return _brought.TryGetValue(path, out var known) && (known.IsAwaited = true);
        }
    }

    /// <summary>Keeps an array that is here now.</summary>
    /// <returns>False when the loop has ended.</returns>
    internal bool TryBring(string path, ArrayLease lease)
    {
        lock (_gate)
        {
            if (!_hasEnded && _brought.TryAdd(path, new Brought(lease)))
            {
                return true;
            }

            if (_brought.TryGetValue(path, out var known))
            {
                known.IsAwaited = true;
            }
        }

        lease.Dispose();
        return !_hasEnded;
    }

    /// <summary>Takes into use what a batch refers to that has come.</summary>
    /// <returns>Null when one is not here.</returns>
    internal ArrayUse? TryUse(string[]? paths)
    {
        if (paths is null or [])
        {
            return ArrayUse.OfNone;
        }

        var files = new Dictionary<string, string>(paths.Length, StringComparer.Ordinal);
        var used = new List<Brought>(paths.Length);
        lock (_gate)
        {
            foreach (var path in paths)
            {
                if (_hasEnded || !_brought.TryGetValue(path, out var known))
                {
                    return null;
                }

                files[path] = known.Lease.Segment.Path;
                used.Add(known);
            }

            foreach (var known in used)
            {
                known.Batches++;
                known.IsAwaited = false;
            }
        }

        return new ArrayUse(files, () => End(used));
    }

    /// <summary>Lets go of arrays that nothing here needs now, those first that were not needed for longest.</summary>
    /// <param name="wantedBytes">How much is wanted.</param>
    /// <returns>How much was let go: it is the store's to give to others.</returns>
    internal long Spare(long wantedBytes)
    {
        var bytes = 0L;
        var spared = new List<ArrayLease>();
        lock (_gate)
        {
            if (_hasEnded)
            {
                return 0;
            }

            foreach (var (path, known) in _brought.Where(one => !one.Value.IsNeeded).OrderBy(one => one.Value.LastUse).ToArray())
            {
                if (bytes >= wantedBytes)
                {
                    break;
                }

                _brought.Remove(path);
                spared.Add(known.Lease);
                bytes += known.Lease.Segment.Length;
            }
        }

        // What workers have mapped is in use by this process, or theirs.
        _worker.Forget();
        spared.ForEach(lease => lease.Dispose());
        return bytes;
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

        _ = unwanted?.DisposeAsync().AsTask();
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

        _ = results?.DisposeAsync().AsTask();
    }

    public void Dispose()
    {
        Brought[] brought;
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
            _ = one.DisposeAsync().AsTask();
        }

        if (isIdle)
        {
            EndWorker();
        }

        foreach (var known in brought)
        {
            known.Lease.Dispose();
        }

        _silo.Ended(this);
    }

    private void End(List<Brought> used)
    {
        lock (_gate)
        {
            foreach (var known in used)
            {
                known.Batches--;
                known.LastUse = ++_uses;
            }
        }

        // Room for others of this host: results of worker processes, arrays of other silos. They cannot ask for it.
        if (Store.Excess() is var excess and > 0 && Spare(excess) > 0)
        {
            Store.Trim(0);
            ArrayStores.Reclaim();
        }
    }

    private void EndWorker()
    {
        if (_worker.HasMapped)
        {
            _silo.LeftMapped();
        }

        _worker.Dispose();
    }

    /// <summary>An array that has come. Guarded by the gate.</summary>
    private sealed class Brought(ArrayLease lease)
    {
        internal ArrayLease Lease => lease;

        /// <summary>Batches in hand that refer to it.</summary>
        internal int Batches { get; set; }

        /// <summary>Whether its client has been told that it is here and has not yet sent the batch that refers to it.</summary>
        internal bool IsAwaited { get; set; } = true;

        internal bool IsNeeded => IsAwaited || Batches > 0;

        /// <summary>Which of the loop's uses was its last.</summary>
        internal long LastUse { get; set; }
    }
}
