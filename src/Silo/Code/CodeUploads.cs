namespace Orleans.Joblib.Silo;

/// <summary>What is on its way into a silo's code cache: every piece is asked of one client at a time, and of another when that one falls silent.</summary>
/// <remarks><c>_gate</c> guards the uploads; the disk is written without it.</remarks>
internal sealed class CodeUploads : IDisposable
{
    /// <summary>A client that sends nothing of a piece for this long is not sending it.</summary>
    internal static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    /// <summary>The longest that a client is kept waiting for another's upload before it is told to ask again: less than the response timeout of its question.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<CodeHash, CodeUpload> _uploads = [];
    private readonly CodeStore _store;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;

    public CodeUploads(CodeStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _sweep = time.CreateTimer(static uploads => ((CodeUploads)uploads!).DropSilent(), this, Silence, Silence);
    }

    /// <summary>Uploads that have not ended.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _uploads.Count;
            }
        }
    }

    /// <summary>Asks the caller for the pieces that nobody else is sending.</summary>
    internal CodeHash[] Claim(CodeItem[] missing)
    {
        lock (_gate)
        {
            DropSilent();

            // Another client's upload may have ended since the caller looked: then the caller looks again.
            return [.. missing.Where(item => !_store.Has(item.Hash, item.Length) && _uploads.TryAdd(item.Hash, new CodeUpload(item.Length) { ProgressAt = _time.GetTimestamp() })).Select(item => item.Hash)];
        }
    }

    /// <summary>Waits until others have sent these pieces, for a while.</summary>
    internal async Task WaitAsync(CodeItem[] missing)
    {
        Task[] others;
        lock (_gate)
        {
            others = [.. missing.Select(item => _uploads.GetValueOrDefault(item.Hash)?.Ended.Task).OfType<Task>()];
        }

        try
        {
            await Task.WhenAll(others).WaitAsync(LongestWait, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A long upload, or a client that has gone: the caller looks again.
        }
    }

    /// <summary>Takes in a part. Returns when it is written, and with the last part when the piece is in the cache.</summary>
    /// <exception cref="JoblibException">The part does not belong to the piece, the disk is full, or the piece is not what its hash says.</exception>
    internal void Put(CodeChunk chunk)
    {
        CheckBounds(chunk);
        CodeUpload? upload;
        lock (_gate)
        {
            if (!_uploads.TryGetValue(chunk.Hash, out upload))
            {
                if (_store.Has(chunk.Hash, chunk.Length))
                {
                    // A part that came twice, or late: another client has sent the piece meanwhile.
                    return;
                }

                _uploads.Add(chunk.Hash, upload = new CodeUpload(chunk.Length));
            }

            if (upload.Length != chunk.Length)
            {
                throw Malformed(chunk);
            }

            upload.ProgressAt = _time.GetTimestamp();
            if (!upload.TryBegin(chunk.Offset))
            {
                return;
            }

            upload.Writing++;
        }

        var ended = false;
        try
        {
            CodeDraft draft;
            lock (_gate)
            {
                draft = Begin(upload);
            }

            _store.Write(draft, chunk.Offset, chunk.Bytes);
            lock (_gate)
            {
                ended = upload.Written();
            }

            if (ended)
            {
                _store.Commit(draft, chunk.Hash);
            }
        }
        catch (ObjectDisposedException) when (upload.Failure is not null)
        {
            throw upload.Failure;
        }
        catch (Exception exception)
        {
            upload.Failure ??= exception;
            ended = true;
            throw;
        }
        finally
        {
            lock (_gate)
            {
                upload.Writing--;
                upload.ProgressAt = _time.GetTimestamp();
                if (ended)
                {
                    End(chunk.Hash, upload);
                }
            }
        }
    }

    public void Dispose()
    {
        _sweep.Dispose();
        lock (_gate)
        {
            foreach (var (hash, upload) in _uploads.ToArray())
            {
                End(hash, upload);
            }
        }
    }

    // Called with _gate held: after a failure no other part begins it again, for nobody would end it.
    private CodeDraft Begin(CodeUpload upload)
    {
        if (upload.Failure is { } failure)
        {
            throw failure;
        }

        try
        {
            return upload.Draft ??= _store.Begin(upload.Length);
        }
        catch (Exception exception)
        {
            upload.Failure = exception;
            throw;
        }
    }

    private void DropSilent()
    {
        lock (_gate)
        {
            foreach (var (hash, upload) in _uploads.Where(upload => upload.Value.Writing == 0 && _time.GetElapsedTime(upload.Value.ProgressAt) >= Silence).ToArray())
            {
                End(hash, upload);
            }
        }
    }

    private void End(CodeHash hash, CodeUpload upload)
    {
        // After a failure another client may already be sending the piece anew.
        if (_uploads.GetValueOrDefault(hash) == upload)
        {
            _uploads.Remove(hash);
        }

        upload.Draft?.Dispose();
        upload.Ended.TrySetResult();
    }

    private void CheckBounds(CodeChunk chunk)
    {
        if (chunk.Length < 0
            || chunk.Length > _store.MaxBytes
            || chunk.Offset < 0
            || chunk.Offset % CodeChunk.MostBytes != 0
            || chunk.Offset > chunk.Length
            || chunk.Bytes is null
            || chunk.Bytes.Length != Math.Min(CodeChunk.MostBytes, chunk.Length - chunk.Offset))
        {
            throw Malformed(chunk);
        }
    }

    private static JoblibException Malformed(CodeChunk chunk) => new(
        "code-changed",
        $"A part of '{chunk.Hash}' does not belong to it (offset {chunk.Offset}, {chunk.Bytes?.Length} bytes of {chunk.Length}). Use the same version of Orleans.Joblib on client and silo.");
}
