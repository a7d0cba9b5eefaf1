namespace Orleans.Joblib;

/// <summary>Which compressor has which name, file extension and first bytes. Thread-safe.</summary>
internal static class CompressorTable
{
    // joblib knows them; no library kept here does.
    private static readonly (string Name, string Extension, byte[] Prefix)[] Missing =
    [
        ("bz2", ".bz2", [(byte)'B', (byte)'Z', (byte)'h']),
        ("xz", ".xz", [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]),
        ("lzma", ".lzma", [0x5D, 0, 0]),
    ];

    private static readonly Lock Gate = new();

    // Replaced, never changed. In order of registration, the built-in ones last, so that a user's extension wins.
    private static volatile (string Name, Compressor Compressor)[] _all =
    [
        ("zlib", new ZLibCompressor()), ("gzip", new GZipCompressor()), ("zstd", new ZstdCompressor()), ("lz4", new Lz4Compressor()),
    ];

    internal static Compressor ZLib => Named("zlib");

    internal static void Register(string name, Compressor compressor, bool force)
    {
        lock (Gate)
        {
            if (!force && _all.Any(known => known.Name == name))
            {
                throw new ArgumentException($"There is a compressor '{name}' already. Use another name, or 'force: true' to replace it.", nameof(name));
            }

            _all = [(name, compressor), .. _all.Where(known => known.Name != name)];
        }
    }

    internal static Compressor Named(string name)
    {
        foreach (var (known, compressor) in _all)
        {
            if (known == name)
            {
                return compressor;
            }
        }

        var reason = Missing.Any(missing => missing.Name == name) ? $"'{name}' is joblib's, and needs a library that Orleans.Joblib does not bring" : $"There is no compressor '{name}'";
        throw new ArgumentException($"{reason}. Use one of {string.Join(", ", _all.Select(known => $"'{known.Name}'").Order())}, or Joblib.RegisterCompressor.");
    }

    internal static Compressor? ForPath(string path)
    {
        foreach (var (_, compressor) in _all)
        {
            if (compressor.Extension.Length > 0 && path.EndsWith(compressor.Extension, StringComparison.Ordinal))
            {
                return compressor;
            }
        }

        return Missing.FirstOrDefault(missing => path.EndsWith(missing.Extension, StringComparison.Ordinal)).Name is { } name ? Named(name) : null;
    }

    /// <summary>The compressor that a file's first bytes show; null for none.</summary>
    /// <exception cref="JoblibException">It is one that is not here.</exception>
    internal static Compressor? ForPrefix(ReadOnlySpan<byte> first, string path)
    {
        foreach (var (_, compressor) in _all)
        {
            if (compressor.Prefix.Length > 0 && first.StartsWith(compressor.Prefix.Span))
            {
                return compressor;
            }
        }

        foreach (var (name, _, prefix) in Missing)
        {
            if (first.StartsWith(prefix))
            {
                throw new JoblibException(
                    "compression-unknown", $"'{path}' is compressed with '{name}', for which Orleans.Joblib has no library. Decompress it first, or bring one: Joblib.RegisterCompressor.");
            }
        }

        return null;
    }
}
