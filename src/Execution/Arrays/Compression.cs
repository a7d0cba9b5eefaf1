namespace Orleans.Joblib;

/// <summary>How <c>Joblib.Dump</c> compresses.</summary>
/// <value>Default: not at all, unless the file's extension names a method.</value>
/// <remarks>
/// Converts from <see cref="bool"/>, from a level 0 to 9 (0: none), from a method's name (<c>"zlib"</c>, <c>"gzip"</c>, <c>"zstd"</c>, <c>"lz4"</c>, or a registered one), and from
/// both: <c>("zstd", 5)</c>. A name decides; else the file's extension does (<c>.z</c>, <c>.gz</c>, <c>.zst</c>, <c>.lz4</c>), else it is zlib.
/// joblib 1.6: <c>dump(compress=…)</c>.
/// </remarks>
public readonly record struct Compression
{
    private readonly bool _isOn;

    private Compression(bool isOn, string? method, int? level)
    {
        _isOn = isOn;
        Method = method;
        Level = level;
    }

    /// <summary>Not compressed, unless the extension says so.</summary>
    public static Compression None => default;

    /// <summary>The method's name; null where it follows from the extension.</summary>
    public string? Method { get; }

    /// <summary>0 to 9; null for the method's own choice.</summary>
    public int? Level { get; }

    /// <summary>With or without.</summary>
    public static implicit operator Compression(bool isOn) => FromBoolean(isOn);

    /// <summary>A level; 0 for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to 9.</exception>
    public static implicit operator Compression(int level) => FromInt32(level);

    /// <summary>A method.</summary>
    /// <exception cref="ArgumentException">There is no such method.</exception>
    public static implicit operator Compression(string method) => FromString(method);

    /// <summary>A method and a level.</summary>
    /// <exception cref="ArgumentException">There is no such method, or the level is not 0 to 9.</exception>
    public static implicit operator Compression((string Method, int Level) pair) => FromValueTuple(pair);

    /// <summary>With or without.</summary>
    public static Compression FromBoolean(bool isOn) => new(isOn, null, null);

    /// <summary>A level; 0 for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to 9.</exception>
    public static Compression FromInt32(int level) => CheckLevel(level) == 0 ? default : new Compression(true, null, level);

    /// <summary>A method.</summary>
    /// <exception cref="ArgumentException">There is no such method.</exception>
    public static Compression FromString(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        CompressorTable.Named(method);
        return new Compression(true, method, null);
    }

    /// <summary>A method and a level; level 0 does not compress.</summary>
    /// <exception cref="ArgumentException">There is no such method, or the level is not 0 to 9.</exception>
    public static Compression FromValueTuple((string Method, int Level) pair)
    {
        ArgumentNullException.ThrowIfNull(pair.Method, nameof(pair));
        CompressorTable.Named(pair.Method);
        return new Compression(CheckLevel(pair.Level) > 0, pair.Method, pair.Level);
    }

    /// <summary>The compressor for a file; null for none.</summary>
    internal Compressor? CompressorFor(string? path) => Method is { } name
        ? _isOn ? CompressorTable.Named(name) : null
        : (path is null ? null : CompressorTable.ForPath(path)) ?? (_isOn ? CompressorTable.ZLib : null);

    private static int CheckLevel(int level) =>
        level is >= 0 and <= 9 ? level : throw new ArgumentOutOfRangeException(nameof(level), level, $"A compression level must not be '{level}'. Use '0' (none) to '9' (smallest).");
}
