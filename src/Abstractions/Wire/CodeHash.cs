using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Orleans.Joblib;

/// <summary>A SHA-256: what names a piece of code, or a code set, wherever it is.</summary>
/// <param name="A">The first eight bytes, big-endian.</param>
/// <param name="B">The second.</param>
/// <param name="C">The third.</param>
/// <param name="D">The last.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.CodeHash")]
public readonly record struct CodeHash(
    [property: Id(0)] ulong A,
    [property: Id(1)] ulong B,
    [property: Id(2)] ulong C,
    [property: Id(3)] ulong D)
{
    internal static CodeHash Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        return FromDigest(digest);
    }

    internal static CodeHash Of(Stream stream)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(stream, digest);
        return FromDigest(digest);
    }

    /// <summary>64 hexadecimal digits, lower case.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{A:x16}{B:x16}{C:x16}{D:x16}");

    private static CodeHash FromDigest(ReadOnlySpan<byte> digest) => new(
        BinaryPrimitives.ReadUInt64BigEndian(digest),
        BinaryPrimitives.ReadUInt64BigEndian(digest[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(digest[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(digest[24..]));
}
