using System.IO.Compression;

namespace Orleans.Joblib;

/// <summary>Deflate with zlib's head. joblib's default level is 3.</summary>
internal sealed class ZLibCompressor : Compressor
{
    /// <summary>Deflate's best: 258 bytes for 2 bits.</summary>
    internal const long DeflateRatio = 1032;

    internal const int DefaultLevel = 3;

    public override string Extension => ".z";

    public override ReadOnlyMemory<byte> Prefix { get; } = new byte[] { 0x78 };

    public override long MaxRatio => DeflateRatio;

    public override Stream Compress(Stream output, int? level) => new ZLibStream(output, new ZLibCompressionOptions { CompressionLevel = level ?? DefaultLevel }, leaveOpen: true);

    public override Stream Decompress(Stream input) => new ZLibStream(input, CompressionMode.Decompress, leaveOpen: true);
}
