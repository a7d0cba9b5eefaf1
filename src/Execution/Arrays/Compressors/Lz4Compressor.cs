using K4os.Compression.LZ4;
using K4os.Compression.LZ4.Streams;

namespace Orleans.Joblib;

/// <summary>LZ4 frames: the fastest.</summary>
internal sealed class Lz4Compressor : Compressor
{
    public override string Extension => ".lz4";

    public override ReadOnlyMemory<byte> Prefix { get; } = new byte[] { 0x04, 0x22, 0x4D, 0x18 };

    public override long MaxRatio => 256;

    public override Stream Compress(Stream output, int? level) =>
        LZ4Stream.Encode(output, level is null or < 3 ? LZ4Level.L00_FAST : (LZ4Level)level, leaveOpen: true);

    public override Stream Decompress(Stream input) => LZ4Stream.Decode(input, leaveOpen: true);
}
