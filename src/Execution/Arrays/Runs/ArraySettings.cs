namespace Orleans.Joblib;

/// <summary>What a run says of its large arrays, to whoever executes its calls on this host.</summary>
/// <param name="MaxBytes">Larger arrays go through the store of the host; null when none does.</param>
/// <param name="Mode">How workers see them.</param>
/// <param name="Parents">The folders that the store is made in, in the order in which they are filled.</param>
internal sealed record ArraySettings(long? MaxBytes, MmapMode Mode, IReadOnlyList<string> Parents)
{
    /// <summary>Whether the caller sees this host's files under the same names: a memory-mapped array of a result may then travel as its place.</summary>
    internal bool SharesFiles { get; init; } = true;

    /// <summary>The most bytes of a folder; null for the standard share of its file system.</summary>
    internal long? StoreBytes { get; init; }

    /// <summary>Of what the caller said, on this host as it is now; without a store where there can be none.</summary>
    internal static ArraySettings Of(long? maxBytes, MmapMode mode, string? tempFolder) => ArrayStore.IsSupported
        ? new ArraySettings(maxBytes, mode, new ArrayStoreOptions { TempFolder = tempFolder }.Parents())
        : new ArraySettings(null, mode, []);

    /// <summary>Whether a path is one of a segment that this run's processes may have written.</summary>
    internal bool Holds(string path) =>
        SegmentName.IsOne(Path.GetFileName(path.AsSpan())) && Parents.Any(parent => StoreFolder.PathBelow(parent) == Path.GetDirectoryName(path));

    internal void Write(PayloadWriter writer)
    {
        writer.WriteRaw(MaxBytes ?? -1);
        writer.WriteByte((byte)Mode);
        writer.WriteByte(SharesFiles ? (byte)1 : (byte)0);
        writer.WriteRaw(StoreBytes ?? -1);
        writer.WriteVarUInt((ulong)Parents.Count);
        foreach (var parent in Parents)
        {
            writer.WriteString(parent);
        }
    }

    internal static ArraySettings Read(PayloadReader reader)
    {
        var maxBytes = reader.ReadRaw<long>();
        var mode = (MmapMode)reader.ReadByte();
        var sharesFiles = reader.ReadByte() != 0;
        var storeBytes = reader.ReadRaw<long>();
        var parents = new string[reader.ReadCount()];
        for (var i = 0; i < parents.Length; i++)
        {
            parents[i] = reader.ReadString();
        }

        return new ArraySettings(maxBytes < 0 ? null : maxBytes, mode, parents) { SharesFiles = sharesFiles, StoreBytes = storeBytes < 0 ? null : storeBytes };
    }
}
