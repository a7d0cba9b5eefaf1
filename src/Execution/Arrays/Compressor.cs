namespace Orleans.Joblib;

/// <summary>A way to compress files of <c>Joblib.Dump</c>, known by a name after <c>Joblib.RegisterCompressor</c>. Thread-safe.</summary>
/// <remarks>joblib 1.6: <c>CompressorWrapper</c>.</remarks>
public abstract class Compressor
{
    /// <summary>The end of file names that picks it, such as <c>".zst"</c>; empty for none. Default: none.</summary>
    public virtual string Extension => "";

    /// <summary>The first bytes of everything that it compresses, by which files are recognised when they are loaded.</summary>
    public abstract ReadOnlyMemory<byte> Prefix { get; }

    /// <summary>How many bytes one compressed byte can become at most: files that claim more are refused before memory is taken. Default: no limit.</summary>
    public virtual long MaxRatio => long.MaxValue;

    /// <summary>A stream that compresses what is written to it. Disposing it writes the rest and leaves <paramref name="output"/> open.</summary>
    /// <param name="output">The file.</param>
    /// <param name="level">0 (least) to 9 (most); null for the compressor's own choice.</param>
    public abstract Stream Compress(Stream output, int? level);

    /// <summary>A stream to read from what was compressed.</summary>
    /// <param name="input">The file, at its beginning.</param>
    public abstract Stream Decompress(Stream input);
}
