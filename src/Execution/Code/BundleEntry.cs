using System.IO.Compression;

namespace Orleans.Joblib;

/// <summary>A file inside a single-file program.</summary>
/// <param name="Program">The program's file.</param>
/// <param name="RelativePath">The file's path within it, with forward slashes.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes, once they are unpacked.</param>
/// <param name="PackedLength">Its bytes in the program's file, deflated; 0 when they are as they were.</param>
internal sealed record BundleEntry(string Program, string RelativePath, long Offset, long Length, long PackedLength)
{
    internal byte[] Read()
    {
        using var program = File.OpenHandle(Program);
        var packed = new byte[checked((int)(PackedLength == 0 ? Length : PackedLength))];
        for (var read = 0; read < packed.Length;)
        {
            var more = RandomAccess.Read(program, packed.AsSpan(read), Offset + read);
            read += more > 0 ? more : throw new EndOfStreamException($"'{Program}' ends before '{RelativePath}' does.");
        }

        if (PackedLength == 0)
        {
            return packed;
        }

        var bytes = new byte[checked((int)Length)];
        using var unpacked = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        unpacked.ReadExactly(bytes);
        return bytes;
    }
}
