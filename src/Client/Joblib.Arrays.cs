namespace Orleans.Joblib;

public static partial class Joblib
{
    /// <summary>Writes a value to a file: an array as <c>.npy</c>, which numpy opens, anything else in Orleans.Joblib's own format, with its large arrays as <c>.npy</c> inside.</summary>
    /// <param name="value">An array of any rank whose elements hold no references, a <see cref="MemmappedArray{T}"/>, or whatever could travel to a worker.</param>
    /// <param name="path">The file; one that is there is replaced when the new one is whole.</param>
    /// <param name="compress">How it is compressed. Default: by the extension (<c>.z</c>, <c>.gz</c>, <c>.zst</c>, <c>.lz4</c>), else not at all.</param>
    /// <returns>The path, as the only name.</returns>
    /// <exception cref="ArgumentException">The path is empty, or its extension names a method that is not known.</exception>
    /// <exception cref="CannotTravelException">The value holds something that means nothing in another process.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <remarks>joblib 1.6: <c>dump</c>. Types are found by name and build when the value is loaded: rebuild a program, and values of its own types must be dumped again.</remarks>
    public static IReadOnlyList<string> Dump(object? value, string path, Compression compress = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var compressor = compress.CompressorFor(path);

        // Beside it, so that a failure leaves what was there.
        var written = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (var file = new FileStream(written, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                DumpFile.Write(file, value, compressor, compress.Level);
            }

            File.Move(written, path, overwrite: true);
        }
        catch (Exception)
        {
            File.Delete(written);
            throw;
        }

        return [path];
    }

    /// <summary>Writes a value to a stream, which stays open.</summary>
    /// <param name="value">As in <see cref="Dump(object?, string, Compression)"/>.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="compress">How it is compressed. Default: not at all.</param>
    /// <exception cref="CannotTravelException">The value holds something that means nothing in another process.</exception>
    /// <remarks>joblib 1.6: <c>dump</c> to a file object.</remarks>
    public static void Dump(object? value, Stream stream, Compression compress = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        DumpFile.Write(stream, value, compress.CompressorFor(null), compress.Level);
    }

    /// <summary>Reads a file of <see cref="Dump(object?, string, Compression)"/>, or a <c>.npy</c> file of numpy's. Compression is recognised by the first bytes.</summary>
    /// <typeparam name="T">
    /// What the file holds. For arrays <c>double[]</c>, <c>double[,]</c>, <see cref="MemmappedArray{T}"/>, <see cref="Memory{T}"/>, <see cref="ReadOnlyMemory{T}"/>, or <see cref="object"/>
    /// for what the file suggests.
    /// </typeparam>
    /// <param name="path">The file.</param>
    /// <param name="mmapMode">
    /// How to map its arrays instead of reading them; those of type <c>T[]</c> inside a value are read all the same. <see cref="MmapMode.Create"/> means <see cref="MmapMode.ReadWrite"/>.
    /// Ignored with a warning where the file is compressed. Default: null, which reads, in this processor's byte order whatever the file's is.
    /// </param>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> is an array of .NET, which cannot be mapped, and <paramref name="mmapMode"/> is given.</exception>
    /// <exception cref="InvalidCastException">The file holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="JoblibException">The file is damaged, holds elements of another type, or in another byte order and is to be mapped.</exception>
    /// <remarks>joblib 1.6: <c>load</c>. Load only files that you trust: like a payload, one may name any method of your program to be called when its tables are built.</remarks>
    public static T Load<T>(string path, MmapMode? mmapMode = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ParallelArguments.CheckDefined(mmapMode, nameof(mmapMode));
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (mmapMode is { } asked && DumpFile.CompressorOf(file, path) is not null)
        {
            JoblibLog.MmapModeIgnored(Logger, asked, path);
            mmapMode = null;
        }

        return DumpFile.Read<T>(file, path, mmapMode == MmapMode.Create ? MmapMode.ReadWrite : mmapMode);
    }

    /// <summary>Reads what <see cref="Dump(object?, Stream, Compression)"/> wrote. Nothing can be mapped from a stream.</summary>
    /// <typeparam name="T">What the stream holds.</typeparam>
    /// <param name="stream">Where from; read to the value's end, or further where it is compressed.</param>
    /// <exception cref="InvalidCastException">The stream holds something else.</exception>
    /// <exception cref="JoblibException">It is damaged, or holds elements of another type.</exception>
    public static T Load<T>(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return DumpFile.Read<T>(stream, null, null);
    }

    /// <summary>Makes a way to compress known by name, by its file extension and by the first bytes that it writes.</summary>
    /// <param name="name">The name that <c>compress:</c> takes.</param>
    /// <param name="compressor">Thread-safe.</param>
    /// <param name="force">Whether to replace one of that name. Default: no, an error.</param>
    /// <exception cref="ArgumentException">The name is empty or taken.</exception>
    /// <remarks>joblib 1.6: <c>register_compressor</c>.</remarks>
    public static void RegisterCompressor(string name, Compressor compressor, bool force = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(compressor);
        CompressorTable.Register(name, compressor, force);
    }
}
