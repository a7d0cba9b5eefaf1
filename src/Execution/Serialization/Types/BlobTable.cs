using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Orleans.Joblib;

/// <summary>What descriptions mean, by their bytes: each is parsed once. Bounded, thread-safe.</summary>
internal sealed class BlobTable<T>
{
    private const int MostEntries = 20_000;
    private readonly ConcurrentDictionary<byte[], T> _entries = new(BlobComparer.Instance);
    private readonly ConcurrentDictionary<byte[], T>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public BlobTable() => _lookup = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    internal int Count => _entries.Count;

    internal bool TryGet(ReadOnlySpan<byte> blob, [MaybeNullWhen(false)] out T value) => _lookup.TryGetValue(blob, out value);

    internal T Add(ReadOnlySpan<byte> blob, T value) => _entries.Count >= MostEntries ? value : _entries.GetOrAdd(blob.ToArray(), value);

    private sealed class BlobComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        internal static readonly BlobComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
