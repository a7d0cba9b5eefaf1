using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Arrays that come from other hosts: each once per host, whoever fetches it.</summary>
internal sealed partial class ArrayStore
{
    private readonly Lock _reserving = new();

    /// <summary>Takes into use what has come from another host before.</summary>
    /// <returns>Null when it is not here.</returns>
    internal ArrayLease? TryLease(ArrayContent content)
    {
        foreach (var (folder, _) in _folders)
        {
            if (TryLease(folder, folder.NameOf(content), content.Length, 0) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Whether so little of the first folder is free that the next array may find no room, and how many bytes should go: to a half from three quarters on, so that it is seldom; else 0.</summary>
    internal long Excess()
    {
        var (folder, maxBytes) = _folders[0];
        var used = folder.UsedBytes();
        return used > maxBytes / 4 * 3 ? used - (maxBytes / 2) : 0;
    }

    /// <summary>Takes into use what is here, or the right to bring it here.</summary>
    /// <returns>Neither when somebody else of this host is bringing it.</returns>
    /// <exception cref="JoblibException">There is no room for it.</exception>
    internal (ArrayLease? Found, IncomingSegment? Incoming) TryReceive(ArrayContent content)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return InFirst(content.Length, (folder, maxBytes) => TryReceive(content, folder, maxBytes));
    }

    private (ArrayLease? Found, IncomingSegment? Incoming) TryReceive(ArrayContent content, StoreFolder folder, long maxBytes)
    {
        if (TryClaim(folder, folder.NameOf(content).First) is not { } claim)
        {
            return (TryLease(content), null);
        }

        try
        {
            if (TryLease(content) is { } found)
            {
                claim.Dispose();
                return (found, null);
            }

            var (file, path) = Reserve(folder, content.Length, maxBytes);
            return (null, new IncomingSegment(this, folder, claim, file, path, content));
        }
        catch (Exception)
        {
            claim.Dispose();
            throw;
        }
    }

    /// <summary>Writes an array's file as it comes, for one run alone: nobody knows what is in it before all is here, so it gets a name that says nothing.</summary>
    /// <exception cref="JoblibException">There is no room for it, or it is not as long as announced.</exception>
    internal async Task<ArrayLease> PutFileAsync(long length, IAsyncEnumerable<ReadOnlyMemory<byte>> parts)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var (folder, file, path) = InFirst(length, (folder, maxBytes) =>
        {
            var (file, path) = Reserve(folder, length, maxBytes);
            return (folder, file, path);
        });
        try
        {
            var written = 0L;
            await foreach (var part in parts.ConfigureAwait(false))
            {
                if (part.Length > length - written)
                {
                    throw NotAsAnnounced(length, written + part.Length);
                }

                Write(folder, file, part.Span, written);
                written += part.Length;
            }

            if (written < length)
            {
                throw NotAsAnnounced(length, written);
            }

            lock (_gate)
            {
                var name = SegmentName.New();
                folder.Move(path, folder.PathOf(name));
                SegmentFile.ShareWritten(file);
                _written++;
                return Leased(new Segment(folder, name, file, length, 0, isWriter: true));
            }
        }
        catch (Exception exception)
        {
            SegmentFile.Remove(path);
            file.Dispose();
            folder.Added(-length);
            if (exception is IOException io && IsFull(io))
            {
                throw HasNoRoom(length, io);
            }

            throw;
        }
    }

    private static JoblibException NotAsAnnounced(long length, long came) => new(
        "array-corrupt", $"An array was announced with {length} bytes and has {came}. Use the same version of joblib-orleans at the client as on the silos.");

    private (SafeFileHandle File, string Path) Reserve(StoreFolder folder, long length, long maxBytes)
    {
        lock (_reserving)
        {
            // Others count it by its length, before it has come.
            var (file, path) = TakeIdle(folder, length) ?? New(folder, length, maxBytes);
            RandomAccess.SetLength(file, length);
            folder.Added(length);
            return (file, path);
        }
    }

    internal void Write(StoreFolder folder, SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (IOException exception) when (IsFull(exception))
        {
            Trim(0);
            if (folder.Evict(bytes.Length) == 0)
            {
                throw;
            }

            RandomAccess.Write(file, bytes, offset);
        }
    }

    internal ArrayLease Keep(StoreFolder folder, SafeFileHandle file, string path, ArrayContent content, bool isShared)
    {
        var name = folder.NameOf(content);
        lock (_gate)
        {
            folder.Move(path, folder.PathOf(name));
            SegmentFile.ShareWritten(file);
            _written++;
            return Leased(new Segment(folder, name, file, content.Length, 0, isWriter: isShared));
        }
    }

    /// <summary>What a failure of the file system is to the store's users: raw it would pass for one of the network, and be tried again.</summary>
    internal JoblibException Refusal(StoreFolder folder, long bytes, Exception cause) => cause switch
    {
        JoblibException said => said,
        IOException exception when IsFull(exception) => HasNoRoom(bytes, exception),
        _ => folder.Unusable(cause),
    };

    private JoblibException HasNoRoom(long bytes, IOException cause) => new(
        "array-store-full",
        $"An array of {bytes} bytes has no room in {string.Join(" or ", _folders.Select(folder => $"'{folder.Folder.Path}' ({folder.Folder.FreeBytes()} bytes free)"))}. "
            + "Make room, or give another folder with 'tempFolder' or JOBLIB_TEMP_FOLDER (a silo: --array-folder, --array-store-size), or send arrays with the calls: maxNbytes: MaxNbytes.Never.",
        cause);

    private static SegmentClaim? TryClaim(StoreFolder folder, ulong first)
    {
        var path = folder.ClaimPath(first);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            SafeFileHandle file;
            try
            {
                file = SegmentFile.OpenOrCreate(path);
            }
            catch (DirectoryNotFoundException)
            {
                // Its last user has removed it.
                StoreFolder.Open(Path.GetDirectoryName(folder.Path)!);
                continue;
            }

            if (SegmentFile.TryOwn(file, path))
            {
                return new SegmentClaim(file, path);
            }

            // In use, or its name has just gone with its last owner.
            var isGone = !FileLocks.IsSame(file, path);
            file.Dispose();
            if (!isGone)
            {
                return null;
            }
        }

        return null;
    }
}
