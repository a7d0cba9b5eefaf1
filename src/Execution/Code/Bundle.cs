using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace Orleans.Joblib;

/// <summary>The files inside a single-file program. The runtime maps assemblies straight from there, so they have no path to read them from.</summary>
/// <remarks>
/// The format is Microsoft.NET.HostModel's, version 6, which .NET 6 to 10 write: the host holds an 8-byte offset of the header in front of a 32-byte mark.
/// There is no API for it: <c>AssemblyExtensions.TryGetRawMetadata</c> gives metadata without code.
/// </remarks>
internal sealed class Bundle
{
    private const uint OldestVersion = 6;
    private const int MostEntries = 100_000;

    // SHA-256 of ".net core bundle", every byte inverted: this assembly is itself inside the file that is searched, and must not be found.
    private static readonly byte[] InvertedMark =
    [
        0x74, 0xed, 0xfd, 0x46, 0x95, 0x9e, 0xdf, 0xc7, 0x8d, 0x84, 0x6c, 0xfd, 0xeb, 0x28, 0x5f, 0xcd,
        0xec, 0x0a, 0x46, 0x19, 0x10, 0x51, 0xcc, 0xe7, 0x11, 0xc4, 0xd2, 0x31, 0xdb, 0x4c, 0x95, 0x51,
    ];

    private static readonly Lazy<Bundle?> Own = new(() => Environment.ProcessPath is { } path ? TryRead(path) : null);

    private readonly Dictionary<string, BundleEntry> _entries;

    private Bundle(Dictionary<string, BundleEntry> entries) => _entries = entries;

    /// <summary>This process's own, when it is a single-file program.</summary>
    internal static Bundle? OfThisProcess => Own.Value;

    internal IReadOnlyCollection<BundleEntry> Entries => _entries.Values;

    internal BundleEntry? Find(string relativePath) => _entries.GetValueOrDefault(relativePath);

    /// <summary>The bundle in a file; null when there is none that this version can read.</summary>
    internal static unsafe Bundle? TryRead(string path)
    {
        var length = new FileInfo(path).Length;
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            var header = FindHeader(start + view.PointerOffset, length);
            return header is { } offset ? ReadHeader(path, new UnmanagedMemoryStream(start + view.PointerOffset, length), offset) : null;
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    private static unsafe long? FindHeader(byte* start, long length)
    {
        Span<byte> mark = stackalloc byte[InvertedMark.Length];
        for (var i = 0; i < mark.Length; i++)
        {
            mark[i] = (byte)~InvertedMark[i];
        }

        for (var at = 0L; at < length - mark.Length;)
        {
            var window = new ReadOnlySpan<byte>(start + at, (int)Math.Min(length - at, 1 << 30));
            var found = window.IndexOf(mark);
            if (found >= 0 && at + found >= sizeof(long))
            {
                var header = BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(start + at + found - sizeof(long), sizeof(long)));
                return header > 0 && header < length ? header : null;
            }

            at += window.Length == length - at ? window.Length : window.Length - mark.Length;
        }

        return null;
    }

    private static Bundle? ReadHeader(string path, Stream stream, long offset)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        try
        {
            stream.Position = offset;
            var version = reader.ReadUInt32();
            _ = reader.ReadUInt32();
            var count = reader.ReadInt32();
            if (version < OldestVersion || count is < 0 or > MostEntries)
            {
                return null;
            }

            _ = reader.ReadString();

            // Offset and size of deps.json and of runtimeconfig.json, which are entries too, then flags.
            stream.Position += (4 * sizeof(long)) + sizeof(ulong);
            var entries = new Dictionary<string, BundleEntry>(count, StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < count; i++)
            {
                var at = reader.ReadInt64();
                var size = reader.ReadInt64();
                var packed = reader.ReadInt64();
                _ = reader.ReadByte();
                var name = reader.ReadString();
                entries[name] = new BundleEntry(path, name, at, size, packed);
            }

            return new Bundle(entries);
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
