namespace Orleans.Joblib;

/// <summary>Where an array is, for a process that maps it.</summary>
/// <param name="Place">What <paramref name="Path"/> is.</param>
/// <param name="Path">The file; empty for a part of the message's own file.</param>
/// <param name="Offset">Bytes before the first element; for a part its number.</param>
/// <param name="Mode">How to map it.</param>
/// <param name="Lengths">The shape.</param>
/// <param name="Strides">In elements.</param>
internal sealed record ArrayReference(ArrayPlace Place, string Path, long Offset, MmapMode Mode, nint[] Lengths, nint[] Strides)
{
    /// <summary>To an array that has been put into a segment.</summary>
    internal static ArrayReference To(Segment segment, ArrayView array, MmapMode mode) => new(
        ArrayPlace.Segment,
        segment.Path,
        segment.DataOffset,
        mode,
        array.Layout.Lengths.ToArray(),
        ArrayLayout.Of(array.Layout.Lengths, array.Layout.Order, array.ElementBytes).Strides.ToArray());

    /// <summary>To a whole file, whatever array is in it.</summary>
    internal static ArrayReference ToFile(string path) => new(
        StoreFolder.IsPlace(path) && SegmentName.IsOne(System.IO.Path.GetFileName(path.AsSpan())) ? ArrayPlace.Segment : ArrayPlace.File, path, 0, MmapMode.ReadOnly, [], []);

    internal void Write(PayloadWriter writer)
    {
        writer.WriteByte((byte)Place);
        writer.WriteString(Path);
        writer.WriteVarUInt((ulong)Offset);
        writer.WriteByte((byte)Mode);
        writer.WriteVarUInt((ulong)Lengths.Length);
        for (var i = 0; i < Lengths.Length; i++)
        {
            writer.WriteVarUInt((ulong)Lengths[i]);
            writer.WriteVarInt(Strides[i]);
        }
    }

    internal static ArrayReference Read(PayloadReader reader)
    {
        reader.Charge(512);
        var place = (ArrayPlace)reader.ReadByte();
        var path = reader.ReadString();
        var offset = reader.ReadVarUInt();
        var mode = (MmapMode)reader.ReadByte();
        var rank = reader.ReadCount(2);
        if (place > ArrayPlace.Part || offset > long.MaxValue || mode is not (MmapMode.ReadOnly or MmapMode.ReadWrite or MmapMode.CopyOnWrite) || rank > ArrayLayout.MaxRank
            || (place == ArrayPlace.Segment && mode == MmapMode.ReadWrite) || path.Contains('\0', StringComparison.Ordinal))
        {
            throw PayloadReader.Malformed("a reference to an array");
        }

        var lengths = new nint[rank];
        var strides = new nint[rank];
        for (var i = 0; i < rank; i++)
        {
            var length = reader.ReadVarUInt();
            lengths[i] = length <= long.MaxValue ? (nint)length : throw PayloadReader.Malformed("an array's shape");
            strides[i] = (nint)reader.ReadVarInt();
        }

        return new ArrayReference(place, path, (long)offset, mode, lengths, strides);
    }

    /// <summary>The same in a file of so many bytes, once it is known that nothing lies outside of it.</summary>
    /// <exception cref="JoblibException">Something does: the file is not what it was.</exception>
    internal ArrayLayout LayoutIn(long fileBytes, int elementBytes)
    {
        var layout = Offset > fileBytes ? null : ArrayLayout.TryOf(Lengths, Strides, elementBytes, (nint)(Offset / elementBytes), (nint)((fileBytes - Offset) / elementBytes));
        return layout ?? throw new JoblibException(
            "array-gone", $"A call refers to an array of shape {ArrayLayout.Text(Lengths)} in '{Path}', which is shorter now: {fileBytes} bytes. Leave the file as it is while calls use it.");
    }
}
