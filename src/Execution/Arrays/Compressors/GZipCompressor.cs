using System.IO.Compression;

namespace Orleans.Joblib;

/// <summary>Deflate with gzip's head.</summary>
internal sealed class GZipCompressor : Compressor
{
    public override string Extension => ".gz";

    public override ReadOnlyMemory<byte> Prefix { get; } = new byte[] { 0x1F, 0x8B };

    public override long MaxRatio => ZLibCompressor.DeflateRatio;

    public override Stream Compress(Stream output, int? level) =>
        new GZipStream(output, new ZLibCompressionOptions { CompressionLevel = level ?? ZLibCompressor.DefaultLevel }, leaveOpen: true);

    public override Stream Decompress(Stream input) => new GZipStream(input, CompressionMode.Decompress, leaveOpen: true);
}
