using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>This host's large arrays: each once, as a <c>.npy</c> file named by its content, in shared memory where there is room. One for a process and folder. Thread-safe.</summary>
/// <remarks>
/// <para>Segments are never changed: an array that differs in a bit is another one. A segment stays as long as any process uses it (<see cref="ArrayLease"/>, a mapping) or
/// the process that wrote it keeps it, to use it again or to overwrite it: pages that exist are written twice as fast as new ones. What a killed process leaves is
/// nobody's, and goes when any process of the user opens or closes a store of the folder (<see cref="StoreFolder.Sweep"/>).</para>
/// <para>Segments are written, never mapped for writing: a full file system is an error of the write, after which unused segments are evicted, then the next folder is tried.</para>
/// <para><c>_gate</c> guards the table of segments, their lease counts and the list of idle ones. It is not held while an array is hashed or written; <c>_writers</c> has threads
/// with the same content wait for each other then, and a lock file has processes.</para>
/// </remarks>
internal sealed partial class ArrayStore : IDisposable
{
    /// <summary>Arrays above it are looked for by their beginning before all of them is read, and other processes are asked to wait while one is written.</summary>
    private const long LargeBytes = 4 << 20;

    // Smaller ones are written anew in less time than workers need to find out what they still use.
    private const long LeastReclaimed = 32 << 20;
    private const int LongestReclaim = 50;

    private static readonly TimeSpan LongestClaim = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Lock[] _writers = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];
    private readonly Dictionary<string, Segment> _segments = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _firsts = [];
    private readonly LinkedList<Segment> _idle = new();
    private readonly List<(StoreFolder Folder, long MaxBytes)> _folders = [];
    private readonly ArrayStoreOptions _options;
    private readonly Timer _expiry;
    private long _idleBytes;
    private bool _isDisposed;

    /// <exception cref="JoblibException">No folder can be used.</exception>
    internal ArrayStore(ArrayStoreOptions? options = null)
        : this(options ?? new ArrayStoreOptions(), null)
    {
    }

    /// <summary>A store of given folders, in the order in which they are filled.</summary>
    internal ArrayStore(IReadOnlyList<string> parents, long? maxBytes = null)
        : this(new ArrayStoreOptions { MaxBytes = maxBytes }, parents)
    {
    }

    private ArrayStore(ArrayStoreOptions options, IReadOnlyList<string>? parents)
    {
        if (!IsSupported)
        {
            throw new PlatformNotSupportedException("Arrays are shared between processes on 64-bit Linux only. Use 'maxNbytes: MaxNbytes.Never' here: arrays travel with their calls then.");
        }

        _options = options;
        _expiry = new Timer(static store => ((ArrayStore)store!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        JoblibException? refusal = null;
        foreach (var parent in parents ?? _options.Parents())
        {
            try
            {
                var folder = StoreFolder.Open(parent);
                _folders.Add((folder, _options.MaxBytes ?? new DriveInfo(folder.Path).TotalSize / 4 * 3));
                folder.Sweep();
            }
            catch (JoblibException exception)
            {
                refusal ??= exception;
            }
        }

        if (_folders.Count == 0)
        {
            throw refusal!;
        }
    }

    internal static bool IsSupported => FileLocks.AreSupported;

    internal IReadOnlyList<string> Folders => [.. _folders.Select(folder => folder.Folder.Path)];

    /// <summary>Bytes of segments that this process keeps and nobody uses.</summary>
    internal long IdleBytes
    {
        get
        {
            lock (_gate)
            {
                return _idleBytes;
            }
        }
    }

    /// <summary>Segments that this process wrote, in all its time: for tests and measurements.</summary>
    internal long WrittenSegments => Interlocked.Read(ref _written);

    internal long RecycledSegments => Interlocked.Read(ref _recycled);

    private long _written;
    private long _recycled;

    /// <summary>Puts an array into the store, unless it is there.</summary>
    /// <exception cref="JoblibException">There is no room for it.</exception>
    internal ArrayLease Put(ArrayView array)
    {
        return Put(array, isShared: true);
    }

    /// <summary>Puts an array into the store for one reader alone: under a name of its own, without a look at its content.</summary>
    /// <exception cref="JoblibException">There is no room for it.</exception>
    internal ArrayLease PutUnshared(ArrayView array) => Put(array, isShared: false);

    private ArrayLease Put(ArrayView array, bool isShared)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        // As it lies in memory: a Fortran array's elements are those of its transpose in C order.
        var order = array.Layout.Order;
        var layout = order == ArrayOrder.Fortran ? array.Layout.Transpose([]) : array.Layout;
        var head = SegmentHead.Write(array.Type, order, array.Layout.Lengths);
        return (array with { Layout = layout }).Read(
            (Store: this, Head: head, IsShared: isShared), static (elements, state) => state.Store.Put(elements, state.Head, state.IsShared));
    }

    /// <summary>Opens a segment that another process, or this one, has put into a store of this host.</summary>
    /// <param name="path">What a payload says: not to be trusted.</param>
    /// <param name="settings">The run's, whose folders are the only ones; null for any of this user.</param>
    /// <returns>Null when it is gone.</returns>
    /// <exception cref="JoblibException">The path is none of a store of this user, or not one of the run, or the file is there and cannot be opened.</exception>
    internal static SafeFileHandle? TryOpen(string path, ArraySettings? settings = null)
    {
        var folder = Path.GetDirectoryName(path);
        if (!StoreFolder.IsPlace(path) || !SegmentName.IsOne(Path.GetFileName(path.AsSpan())) || settings?.Holds(path) == false || (Directory.Exists(folder) && !FileLocks.IsPrivateFolder(folder)))
        {
            throw new JoblibException("array-path", $"A call refers to the shared array '{path}', which is not in a folder of this user for such arrays. Nothing was opened.");
        }

        try
        {
            return SegmentFile.TryUse(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Raw it would pass for one of the network, and the calls that the array is of would be made again.
            throw new JoblibException(
                "unreadable-array", $"The shared array '{path}' cannot be opened in this process: {exception.Message.TrimEnd('.')}. Look at its limit of open files (ulimit -n) and at the disk of that folder.", exception);
        }
    }

    /// <summary>Deletes a segment whose last user this process was.</summary>
    internal static void DeleteIfUnused(string path) => SegmentFile.TryDelete(path, evenIfKept: false);

    /// <summary>Gives back what nobody uses, down to a number of bytes.</summary>
    internal void Trim(long maxIdleBytes)
    {
        while (true)
        {
            Segment segment;
            lock (_gate)
            {
                if (_idleBytes <= maxIdleBytes || _idle.First is not { } oldest)
                {
                    return;
                }

                segment = oldest.Value;
                RemoveIdle(oldest);
            }

            Close(segment);
        }
    }

    internal int Sweep() => _folders.Sum(folder => folder.Folder.Sweep());

    internal void Release(Segment segment)
    {
        lock (_gate)
        {
            if (--segment.Leases > 0)
            {
                return;
            }

            if (segment.IsWriter && !_isDisposed)
            {
                SegmentFile.KeepOnly(segment.File);
                segment.IdleSince = Environment.TickCount64;
                if (_idle.Count == 0)
                {
                    _expiry.Change(_options.IdleLifetime, Timeout.InfiniteTimeSpan);
                }

                _idle.AddLast(segment);
                _idleBytes += segment.Length;
            }
            else
            {
                Forget(segment);
                Close(segment);
                return;
            }
        }

        Trim(MaxIdleBytes);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        _expiry.Dispose();
        Trim(-1);
        foreach (var (folder, _) in _folders)
        {
            folder.Sweep();
            folder.RemoveIfEmpty();
        }
    }

    /// <summary>The process ends: whatever it holds is nobody's from now on, unless workers use it.</summary>
    internal void Abandon()
    {
        Dispose();
        lock (_gate)
        {
            foreach (var segment in _segments.Values)
            {
                Close(segment);
            }

            _segments.Clear();
            _firsts.Clear();
        }

        foreach (var (folder, _) in _folders)
        {
            folder.RemoveIfEmpty();
        }
    }

    // What nobody has used for its lifetime goes; the rest is looked at again when its time has come.
    private void Expire()
    {
        while (true)
        {
            Segment segment;
            lock (_gate)
            {
                if (_isDisposed || _idle.First is not { } oldest)
                {
                    return;
                }

                var left = _options.IdleLifetime.TotalMilliseconds - (Environment.TickCount64 - oldest.Value.IdleSince);
                if (left > 0)
                {
                    _expiry.Change(TimeSpan.FromMilliseconds(left), Timeout.InfiniteTimeSpan);
                    return;
                }

                segment = oldest.Value;
                RemoveIdle(oldest);
            }

            Close(segment);
        }
    }

    private long MaxIdleBytes => _options.MaxIdleBytes ?? _folders[0].MaxBytes / 2;

    private static void Close(Segment segment)
    {
        segment.File.Dispose();
        if (SegmentFile.TryDelete(segment.Path, evenIfKept: false) is { } bytes)
        {
            segment.Folder.Added(-bytes);
        }
    }

    private void RemoveIdle(LinkedListNode<Segment> node)
    {
        _idle.Remove(node);
        _idleBytes -= node.Value.Length;
        Forget(node.Value);
    }

    private ArrayLease Put(ArrayElements elements, byte[] head, bool isShared)
    {
        // What it would be called in each folder; nearly always the first has room.
        return InFirst(elements.ByteLength, (folder, maxBytes) => isShared ? Put(elements, head, folder, maxBytes) : Write(elements, head, null, folder, maxBytes));
    }

    /// <summary>Does something in the first folder where it can be done: one that is full, or out of order, is passed over.</summary>
    /// <exception cref="JoblibException">It cannot be done in any; says why not in the first.</exception>
    private T InFirst<T>(long bytes, Func<StoreFolder, long, T> attempt)
    {
        JoblibException? refusal = null;
        foreach (var (folder, maxBytes) in _folders)
        {
            try
            {
                return attempt(folder, maxBytes);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JoblibException)
            {
                refusal ??= Refusal(folder, bytes, exception);
            }
        }

        throw refusal!;
    }

    private ArrayLease Put(ArrayElements elements, byte[] head, StoreFolder folder, long maxBytes)
    {
        var pieces = new UInt128[(elements.ByteLength + ArrayHash.PieceBytes - 1) / ArrayHash.PieceBytes];
        if (elements.ByteLength <= LargeBytes)
        {
            return PutCopy(elements, head, pieces, folder, maxBytes);
        }

        SegmentWriter.Hash(elements, pieces, folder.Seed, 0, 1);
        var first = ArrayHash.First(head, pieces[0], folder.Seed);
        lock (_writers[first % (ulong)_writers.Length])
        {
            if (folder.HasAny(first) && TryFind(elements, head, pieces, folder, first) is { } found)
            {
                return found;
            }

            using var claim = Claim(folder, first);
            return (folder.HasAny(first) ? TryFind(elements, head, pieces, folder, first) : null) ?? Write(elements, head, pieces, folder, maxBytes);
        }
    }

    // From a copy that stays in the processor's cache: read once, hashed once, and copied by one thread while another writes.
    private unsafe ArrayLease PutCopy(ArrayElements elements, byte[] head, UInt128[] hashes, StoreFolder folder, long maxBytes)
    {
        var length = head.Length + elements.ByteLength;
        var buffer = ArrayPool<byte>.Shared.Rent((int)elements.ByteLength);
        try
        {
            fixed (byte* copy = buffer)
            {
                var pieces = new CopiedPieces(elements, copy, hashes, folder.Seed);
                try
                {
                    pieces.Begin();
                    if (hashes.Length > 0)
                    {
                        pieces.Piece(0);
                    }

                    var first = ArrayHash.First(head, hashes.Length > 0 ? hashes[0] : default, folder.Seed);
                    lock (_writers[first % (ulong)_writers.Length])
                    {
                        // One that nothing here begins like is written at once: that another process has it is found out afterwards.
                        if (Knows(first))
                        {
                            pieces.Complete();
                            if (TryLease(folder, NameOf(head, hashes, folder), length, head.Length) is { } found)
                            {
                                return found;
                            }
                        }

                        return Write(length, head.Length, folder, maxBytes, file => SegmentWriter.Write(file, head, pieces, hashes.Length), () => NameOf(head, hashes, folder));
                    }
                }
                finally
                {
                    // Nobody may be at work on what goes now.
                    pieces.Complete();
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool Knows(ulong first)
    {
        lock (_gate)
        {
            return _firsts.ContainsKey(first);
        }
    }

    // Called with _gate held.
    private void Forget(Segment segment)
    {
        if (_segments.Remove(segment.Path) && --CollectionsMarshal.GetValueRefOrAddDefault(_firsts, segment.Name.First, out _) <= 0)
        {
            _firsts.Remove(segment.Name.First);
        }
    }

    private static SegmentName NameOf(byte[] head, UInt128[] pieces, StoreFolder folder) =>
        new(ArrayHash.First(head, pieces.Length > 0 ? pieces[0] : default, folder.Seed), ArrayHash.All(head, pieces, folder.Seed));

    private ArrayLease? TryFind(ArrayElements elements, byte[] head, UInt128[] pieces, StoreFolder folder, ulong first)
    {
        if (pieces.Length > 1 && pieces[1] == default)
        {
            SegmentWriter.Hash(elements, pieces, folder.Seed, 1, pieces.Length);
        }

        return TryLease(folder, new SegmentName(first, ArrayHash.All(head, pieces, folder.Seed)), head.Length + elements.ByteLength, head.Length);
    }

    private ArrayLease? TryLease(StoreFolder folder, SegmentName name, long length, int dataOffset)
    {
        var path = folder.PathOf(name);
        lock (_gate)
        {
            if (TryLeaseKnown(path) is { } known)
            {
                return known;
            }
        }

        if (SegmentFile.TryUse(path) is not { } file)
        {
            return null;
        }

        if (RandomAccess.GetLength(file) != length)
        {
            file.Dispose();
            return null;
        }

        lock (_gate)
        {
            if (TryLeaseKnown(path) is { } raced)
            {
                file.Dispose();
                return raced;
            }

            return Leased(new Segment(folder, name, file, length, dataOffset, isWriter: false));
        }
    }

    // Called with _gate held.
    private ArrayLease? TryLeaseKnown(string path)
    {
        if (!_segments.TryGetValue(path, out var segment))
        {
            return null;
        }

        if (segment.Leases > 0)
        {
            segment.Leases++;
            return new ArrayLease(this, segment);
        }

        RemoveIdle(_idle.Find(segment)!);
        if (SegmentFile.TryUseAgain(segment.File, path))
        {
            return Leased(segment);
        }

        // Evicted by another process that needed the room.
        segment.File.Dispose();
        return null;
    }

    private ArrayLease Leased(Segment segment)
    {
        segment.Leases = 1;
        if (_segments.TryAdd(segment.Path, segment))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_firsts, segment.Name.First, out _)++;
        }
        else
        {
            _segments[segment.Path] = segment;
        }

        return new ArrayLease(this, segment);
    }

    // Two processes with the same large array: the second waits for the first and then finds it. One that waits too long writes its own.
    private static SegmentClaim? Claim(StoreFolder folder, ulong first)
    {
        var path = folder.ClaimPath(first);
        var started = Environment.TickCount64;
        for (var wait = 1; Environment.TickCount64 - started < LongestClaim.TotalMilliseconds; wait = Math.Min(2 * wait, 32))
        {
            SafeFileHandle file;
            try
            {
                file = SegmentFile.OpenOrCreate(path);
            }
            catch (DirectoryNotFoundException)
            {
                return null;
            }

            if (SegmentFile.TryOwn(file, path))
            {
                return new SegmentClaim(file, path);
            }

            file.Dispose();
            Thread.Sleep(wait);
        }

        return null;
    }

    /// <param name="elements">The array.</param>
    /// <param name="head">What precedes it in the file.</param>
    /// <param name="pieces">Gets the hashes of its pieces; null to give it a name that says nothing.</param>
    /// <param name="folder">Where.</param>
    /// <param name="maxBytes">How much may be there.</param>
    private ArrayLease Write(ArrayElements elements, byte[] head, UInt128[]? pieces, StoreFolder folder, long maxBytes) => Write(
        head.Length + elements.ByteLength,
        head.Length,
        folder,
        maxBytes,
        file => SegmentWriter.Write(file, head, elements, pieces, folder.Seed),
        pieces is null ? null : () => NameOf(head, pieces, folder));

    private ArrayLease Write(long length, int dataOffset, StoreFolder folder, long maxBytes, Action<SafeFileHandle> fill, Func<SegmentName>? nameOfContent)
    {
        var (file, path) = TakeIdle(folder, length) ?? New(folder, length, maxBytes);
        try
        {
            try
            {
                fill(file);
            }
            catch (IOException exception) when (IsFull(exception))
            {
                // Room that others keep without using it, then once more.
                Trim(0);
                if (folder.Evict(length) == 0)
                {
                    throw;
                }

                fill(file);
            }

            RandomAccess.SetLength(file, length);
            var name = nameOfContent?.Invoke() ?? SegmentName.New();
            if (nameOfContent is not null && TryLease(folder, name, length, dataOffset) is { } found)
            {
                SegmentFile.Remove(path);
                file.Dispose();
                return found;
            }

            lock (_gate)
            {
                folder.Move(path, folder.PathOf(name));
                SegmentFile.ShareWritten(file);
                folder.Added(length);
                _written++;
                return Leased(new Segment(folder, name, file, length, dataOffset, isWriter: true));
            }
        }
        catch (Exception)
        {
            SegmentFile.Remove(path);
            file.Dispose();
            throw;
        }
    }

    private (SafeFileHandle File, string Path) New(StoreFolder folder, long length, long maxBytes)
    {
        folder.Restore();
        var over = folder.UsedBytes() + length - maxBytes;
        if (over > 0)
        {
            Trim(0);
            var hasRoom = MakesRoom(folder, length, maxBytes);
            if (!hasRoom && ArrayStores.Reclaim())
            {
                for (var tries = 0; tries < LongestReclaim && !(hasRoom = MakesRoom(folder, length, maxBytes)); tries++)
                {
                    Thread.Sleep(1);
                }
            }

            if (!hasRoom)
            {
                throw new IOException($"The arrays in '{folder.Path}' would take more than {maxBytes} bytes.", Full);
            }
        }

        if (folder.FreeBytes() < length)
        {
            Trim(0);
            folder.Evict(length);
        }

        if (folder.FreeBytes() < length && ArrayStores.Reclaim())
        {
            for (var tries = 0; tries < LongestReclaim && folder.FreeBytes() < length; tries++)
            {
                Thread.Sleep(1);
            }
        }

        if (folder.FreeBytes() < length)
        {
            throw new IOException($"'{folder.Path}' has no room for {length} bytes.", Full);
        }

        while (true)
        {
            var path = folder.NewPath();
            try
            {
                return (SegmentFile.Create(path), path);
            }
            catch (DirectoryNotFoundException)
            {
                folder.Restore();
            }
        }
    }

    private static bool MakesRoom(StoreFolder folder, long length, long maxBytes)
    {
        var over = folder.UsedBytes(isExact: true) + length - maxBytes;
        return over <= 0 || folder.Evict(over) >= over;
    }

    /// <summary>A segment that this process keeps and nobody uses, of about the right size, to be overwritten.</summary>
    private (SafeFileHandle File, string Path)? TakeIdle(StoreFolder folder, long length)
    {
        var mapped = new List<Segment>();
        try
        {
            while (RemoveBest(folder, length) is { } segment)
            {
                if (TryTake(segment) is { } taken)
                {
                    return taken;
                }

                mapped.Add(segment);
            }

            if (mapped.Count > 0 && length >= LeastReclaimed && ArrayStores.Reclaim())
            {
                var started = Environment.TickCount64;
                do
                {
                    foreach (var segment in mapped)
                    {
                        if (TryTake(segment) is { } taken)
                        {
                            mapped.Remove(segment);
                            return taken;
                        }
                    }

                    Thread.Sleep(1);
                }
                while (Environment.TickCount64 - started < LongestReclaim);
            }

            return null;
        }
        finally
        {
            // Mappings of it are still about, or it has been evicted.
            foreach (var segment in mapped)
            {
                Close(segment);
            }
        }
    }

    private Segment? RemoveBest(StoreFolder folder, long length)
    {
        lock (_gate)
        {
            var best = default(LinkedListNode<Segment>);
            for (var node = _idle.First; node is not null; node = node.Next)
            {
                if (node.Value.Folder == folder && node.Value.Length >= length / 2 && node.Value.Length / 2 <= length
                    && (best is null || Math.Abs(node.Value.Length - length) < Math.Abs(best.Value.Length - length)))
                {
                    best = node;
                }
            }

            if (best is not null)
            {
                RemoveIdle(best);
            }

            return best?.Value;
        }
    }

    private (SafeFileHandle File, string Path)? TryTake(Segment segment)
    {
        if (!SegmentFile.TryTake(segment.File, segment.Path))
        {
            return null;
        }

        var path = segment.Folder.NewPath();
        segment.Folder.Move(segment.Path, path);
        segment.Folder.Added(-segment.Length);
        Interlocked.Increment(ref _recycled);
        return (segment.File, path);
    }

    private const int Full = 28;

    internal static bool IsFull(IOException exception) =>
        (exception.HResult & 0xFFFF) is Full or 122 || exception.HResult == unchecked((int)0x80070070) || exception.Message.StartsWith("No space left", StringComparison.Ordinal);
}
