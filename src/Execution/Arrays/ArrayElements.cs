namespace Orleans.Joblib;

/// <summary>The elements of an array in memory, of any order and strides, read as if they lay without gaps with the last index fastest. The memory must stay where it is.</summary>
internal readonly unsafe struct ArrayElements(byte* origin, ArrayLayout layout, int elementBytes)
{
    internal long ByteLength => (long)layout.Count * elementBytes;

    internal byte* Origin => origin;

    /// <summary>Whether the elements lie as they are read.</summary>
    internal bool IsPlain => layout.IsC;

    /// <summary>Copies bytes [offset, offset + length); any number of threads may copy parts.</summary>
    internal void CopyTo(byte* destination, long offset, long length)
    {
        if (layout.IsC)
        {
            Buffer.MemoryCopy(origin + offset, destination, length, length);
            return;
        }

        // Whole rows where rows lie without gaps, else element by element; both may begin and end in the middle of an element.
        var rank = layout.Rank;
        var lengths = layout.Lengths;
        var strides = layout.Strides;
        var index = (nint)(offset / elementBytes);
        var within = (int)(offset % elementBytes);
        var last = lengths[rank - 1];
        var lastStride = strides[rank - 1];
        var end = destination + length;
        while (destination < end)
        {
            var column = index % last;
            var row = layout.OffsetOfFlat(index - column);
            var count = (nint)Math.Min(last - column, (end - destination + within + elementBytes - 1) / elementBytes);
            var from = origin + ((row + (column * lastStride)) * elementBytes);
            if (lastStride == 1)
            {
                var bytes = Math.Min((count * elementBytes) - within, end - destination);
                Buffer.MemoryCopy(from + within, destination, bytes, bytes);
                destination += bytes;
            }
            else if (within == 0 && count * elementBytes <= end - destination)
            {
                CopyStrided(from, lastStride * elementBytes, destination, count);
                destination += count * elementBytes;
            }
            else
            {
                for (nint i = 0; i < count; i++)
                {
                    var bytes = Math.Min(elementBytes - within, end - destination);
                    Buffer.MemoryCopy(from + (i * lastStride * elementBytes) + within, destination, bytes, bytes);
                    destination += bytes;
                    within = 0;
                }
            }

            within = 0;
            index += count;
        }
    }

    /// <summary>The other way: fills elements from <paramref name="first"/> on, counted with the last index fastest, from bytes without gaps.</summary>
    internal void CopyFrom(byte* source, nint first, nint count)
    {
        if (layout.IsC)
        {
            var bytes = (long)count * elementBytes;
            Buffer.MemoryCopy(source, origin + (first * elementBytes), bytes, bytes);
            return;
        }

        var last = layout.Lengths[layout.Rank - 1];
        var step = layout.Strides[layout.Rank - 1] * elementBytes;
        for (var end = first + count; first < end;)
        {
            var column = first % last;
            var run = Math.Min(last - column, end - first);
            var to = origin + (layout.OffsetOfFlat(first - column) * elementBytes) + (column * step);
            Scatter(source, to, step, run);
            source += run * elementBytes;
            first += run;
        }
    }

    private void Scatter(byte* from, byte* to, nint step, nint count)
    {
        switch (elementBytes)
        {
            case 4:
                for (nint i = 0; i < count; i++, to += step)
                {
                    *(uint*)to = ((uint*)from)[i];
                }

                break;

            case 8:
                for (nint i = 0; i < count; i++, to += step)
                {
                    *(ulong*)to = ((ulong*)from)[i];
                }

                break;

            default:
                for (nint i = 0; i < count; i++, to += step)
                {
                    Buffer.MemoryCopy(from + (i * elementBytes), to, elementBytes, elementBytes);
                }

                break;
        }
    }

    private void CopyStrided(byte* from, nint step, byte* to, nint count)
    {
        switch (elementBytes)
        {
            case 1:
                for (nint i = 0; i < count; i++, from += step)
                {
                    to[i] = *from;
                }

                break;

            case 2:
                for (nint i = 0; i < count; i++, from += step)
                {
                    ((ushort*)to)[i] = *(ushort*)from;
                }

                break;

            case 4:
                for (nint i = 0; i < count; i++, from += step)
                {
                    ((uint*)to)[i] = *(uint*)from;
                }

                break;

            case 8:
                for (nint i = 0; i < count; i++, from += step)
                {
                    ((ulong*)to)[i] = *(ulong*)from;
                }

                break;

            default:
                for (nint i = 0; i < count; i++, from += step)
                {
                    Buffer.MemoryCopy(from, to + (i * elementBytes), elementBytes, elementBytes);
                }

                break;
        }
    }
}
