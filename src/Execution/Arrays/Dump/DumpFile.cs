using System.Buffers.Binary;

namespace Orleans.Joblib;

/// <summary>Files of <c>Joblib.Dump</c>: an array as <c>.npy</c>; anything else as a payload, followed by the large arrays that it refers to, one <c>.npy</c> after the other.</summary>
/// <remarks>
/// <code>
/// 93 "JOBNET" version | length of the payload, int32 | payload | for each array: zeros up to a multiple of 64, .npy
/// </code>
/// Arrays come in the order in which the payload refers to them first, so that a file is read once, from its beginning to its end, and no array is in memory twice.
/// </remarks>
internal static class DumpFile
{
    private const byte Version = 1;
    private const int HeadBytes = 12;
    private const int MostPrefixBytes = 16;

    // Smaller ones are better off in the payload.
    private const long LeastArrayBytes = 4096;

    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'J', (byte)'O', (byte)'B', (byte)'N', (byte)'E', (byte)'T'];

    internal static void Write(Stream stream, object? value, Compressor? compressor, int? level)
    {
        if (compressor is null)
        {
            Write(stream, value);
            return;
        }

        using var compressed = compressor.Compress(stream, level);
        Write(compressed, value);
    }

    /// <summary>The compressor that a file's first bytes show; it is left at its beginning.</summary>
    internal static Compressor? CompressorOf(FileStream file, string path)
    {
        Span<byte> first = stackalloc byte[MostPrefixBytes];
        var read = file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return CompressorTable.ForPrefix(first[..read], path);
    }

    /// <summary>Reads a value from a file or a stream.</summary>
    /// <param name="stream">Compressed or not.</param>
    /// <param name="path">The file; null where there is none.</param>
    /// <param name="mode">How to map arrays of the file, which is not compressed; null to read them.</param>
    internal static T Read<T>(Stream stream, string? path, MmapMode? mode)
    {
        var mostBytes = stream.CanSeek ? stream.Length - stream.Position : long.MaxValue;
        if (mode is { } asked)
        {
            return Read<T>(stream, mostBytes, Path.GetFullPath(path!), asked);
        }

        var first = new byte[MostPrefixBytes];
        var read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        var whole = new PrefixedStream(first.AsMemory(0, read), stream);
        if (CompressorTable.ForPrefix(first.AsSpan(0, read), path ?? "stream") is not { } compressor)
        {
            return Read<T>(whole, mostBytes, null, MmapMode.ReadOnly);
        }

        using var plain = compressor.Decompress(whole);
        var most = compressor.MaxRatio > long.MaxValue / Math.Max(mostBytes, 1) ? long.MaxValue : mostBytes * compressor.MaxRatio;
        try
        {
            return Read<T>(plain, most, null, MmapMode.ReadOnly);
        }
        catch (Exception exception) when (exception is InvalidDataException or ZstdSharp.ZstdException or EndOfStreamException)
        {
            throw Bad($"it cannot be decompressed ({exception.Message})");
        }
    }

    private static void Write(Stream stream, object? value)
    {
        if (ArrayView.TryOf(value) is { } array)
        {
            NpyFile.Write(stream, array);
            return;
        }

        var parts = new PartSink(LeastArrayBytes);
        var payload = new PayloadEncoder(NoReferences.Instance).EncodeResults<object?>([value], parts);
        var counted = new CountedStream(stream);
        Span<byte> head = stackalloc byte[HeadBytes];
        Magic.CopyTo(head);
        head[Magic.Length] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], payload.Length);
        counted.Write(head);
        counted.Write(payload);
        foreach (var part in parts.Arrays)
        {
            counted.Align(NpyHeader.Alignment);
            NpyFile.Write(counted, part);
        }

        GC.KeepAlive(value);
    }

    private static T Read<T>(Stream stream, long mostBytes, string? path, MmapMode mode)
    {
        var first = new byte[HeadBytes];
        var read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        if (first.AsSpan(0, read).StartsWith(NpyHeader.Magic))
        {
            var whole = new PrefixedStream(first.AsMemory(0, read), stream);
            return (T)NpyValue.Read(whole, NpyHeader.Read(whole), typeof(T), mostBytes, path, mode)!;
        }

        if (read < HeadBytes || !first.AsSpan().StartsWith(Magic))
        {
            throw Bad(first.AsSpan(0, read).StartsWith((ReadOnlySpan<byte>)[0x80])
                ? "it is a pickle, which only Python reads: in Python, numpy.save arrays and write other data as text"
                : "it does not begin as one");
        }

        if (first[Magic.Length] != Version)
        {
            throw Bad($"its format is '{first[Magic.Length]}', and this version of Orleans.Joblib reads '{Version}'");
        }

        var payloadBytes = BinaryPrimitives.ReadInt32LittleEndian(first.AsSpan(8));
        if (payloadBytes < 0 || payloadBytes > mostBytes)
        {
            throw Bad($"it claims a payload of '{payloadBytes}' bytes");
        }

        var counted = new CountedStream(stream, HeadBytes);
        var payload = new byte[payloadBytes];
        counted.ReadAll(payload);
        var parts = new PartSource(counted, mostBytes, path, mode);
        var results = new object?[1];
        new PayloadDecoder(new OwnCode(), SerializerTable.OfProcess).DecodeResults(payload, results.AsSpan(), parts);
        return results[0] switch
        {
            T value => value,
            null when default(T) is null => default!,
            var other => throw new InvalidCastException($"The file holds {(other is null ? "null" : $"a '{other.GetType()}'")}, not a '{typeof(T)}'."),
        };
    }

    internal static JoblibException Bad(string what) => new("bad-dump", $"This is no file of Joblib.Dump, or a damaged one: {what}. Nothing was loaded.");
}
