using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>An array's file that comes from another host, in parts and in any order: hashed while it is written, and a segment of this host's store only when it is what was announced.</summary>
/// <remarks>Parts may be written by several threads at once. Nobody else of this host fetches the same as long as this is there. Dispose it: what was not kept is removed.</remarks>
internal sealed class IncomingSegment : IDisposable
{
    private readonly ArrayStore _store;
    private readonly StoreFolder _folder;
    private readonly SegmentClaim _claim;
    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly UInt128[] _pieces;
    private readonly Lock _gate = new();
    private readonly bool[] _isBegun;
    private int _left;
    private int _writing;
    private bool _isOver;
    private bool _isClosed;
    private bool _isSaid;

    internal IncomingSegment(ArrayStore store, StoreFolder folder, SegmentClaim claim, SafeFileHandle file, string path, ArrayContent content)
    {
        _store = store;
        _folder = folder;
        _claim = claim;
        _file = file;
        _path = path;
        Content = content;
        _pieces = new UInt128[ContentHash.PieceCount(content.Length)];
        _isBegun = new bool[_pieces.Length];
        _left = _pieces.Length;
    }

    internal ArrayContent Content { get; }

    /// <summary>Whether all parts have come.</summary>
    internal bool IsWhole => Volatile.Read(ref _left) == 0;

    /// <summary>Writes a part. One that has come before, or is being written, is ignored.</summary>
    /// <param name="offset">Where it begins: a multiple of a piece.</param>
    /// <param name="bytes">Whole pieces, or the last one.</param>
    /// <returns>Whether all parts have come with this one: true once.</returns>
    /// <exception cref="JoblibException">It does not belong to the array, or the folder is full or out of order.</exception>
    /// <exception cref="ObjectDisposedException">Nobody wants the array any more.</exception>
    internal bool Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset < 0 || offset % ArrayHash.PieceBytes != 0 || offset > Content.Length - bytes.Length || bytes.IsEmpty
            || (bytes.Length % ArrayHash.PieceBytes != 0 && offset + bytes.Length != Content.Length))
        {
            throw new JoblibException("array-corrupt", $"A part of the array '{Content}' does not belong to it (offset {offset}, {bytes.Length} bytes of {Content.Length}). Use the same version of Orleans.Joblib on client and silo.");
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            _writing++;
        }

        var isWhole = false;
        try
        {
            for (var done = 0; done < bytes.Length;)
            {
                var index = (int)((offset + done) / ArrayHash.PieceBytes);
                var piece = bytes.Slice(done, Math.Min(ArrayHash.PieceBytes, bytes.Length - done));
                done += piece.Length;
                lock (_gate)
                {
                    if (_isBegun[index])
                    {
                        continue;
                    }

                    _isBegun[index] = true;
                }

                try
                {
                    _pieces[index] = ArrayHash.OfPiece(piece, Content.Seed);
                    _store.Write(_folder, _file, piece, (long)index * ArrayHash.PieceBytes);
                }
                catch (Exception)
                {
                    lock (_gate)
                    {
                        _isBegun[index] = false;
                    }

                    throw;
                }

                Interlocked.Decrement(ref _left);
            }
        }
        catch (IOException exception)
        {
            throw _store.Refusal(_folder, Content.Length, exception);
        }
        finally
        {
            var closes = false;
            lock (_gate)
            {
                closes = --_writing == 0 && _isOver && !_isClosed;
                _isClosed |= closes;
                isWhole = _writing == 0 && IsWhole && !_isOver && !_isSaid;
                _isSaid |= isWhole;
            }

            if (closes)
            {
                Close();
            }
        }

        return isWhole;
    }

    /// <summary>Makes it a segment.</summary>
    /// <param name="isShared">Whether this process keeps it for later uses when nobody has it in use.</param>
    /// <exception cref="JoblibException">It is not what was announced, or the folder is out of order.</exception>
    internal ArrayLease Keep(bool isShared = true)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            if (!IsWhole || _writing > 0)
            {
                throw new InvalidOperationException($"{_left} parts are missing.");
            }

            _isOver = _isClosed = true;
        }

        try
        {
            if (ContentHash.Of(_pieces, Content.Seed, Content.Length) != Content)
            {
                throw new JoblibException(
                    "array-corrupt", $"An array of {Content.Length} bytes from another host is not what was sent: its hash differs from '{Content}'. Something changed it on the way, or in the storage between; it was not used. Run the loop again.");
            }

            return _store.Keep(_folder, _file, _path, Content, isShared);
        }
        catch (Exception exception)
        {
            Remove();
            if (exception is IOException or UnauthorizedAccessException)
            {
                throw _store.Refusal(_folder, Content.Length, exception);
            }

            throw;
        }
        finally
        {
            _claim.Dispose();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            if (_isClosed || _writing > 0)
            {
                return;
            }

            _isClosed = true;
        }

        Close();
    }

    private void Close()
    {
        Remove();
        _claim.Dispose();
    }

    private void Remove()
    {
        SegmentFile.Remove(_path);
        _file.Dispose();
        _folder.Added(-Content.Length);
    }
}
