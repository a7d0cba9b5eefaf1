using System.Globalization;

namespace Orleans.Joblib;

/// <summary>The size above which an array is shared between workers as a memory-mapped file instead of being sent.</summary>
/// <value>0 or more bytes; default 1 MiB; <see cref="Never"/> to send every array.</value>
/// <remarks>
/// Converts from <see cref="int"/> and <see cref="long"/> (bytes) and from strings such as <c>"500K"</c>, <c>"1.5M"</c>, <c>"2G"</c> (powers of 1,024).
/// joblib 1.6: <c>max_nbytes</c>, <c>disk.memstr_to_bytes</c>. Accepted and validated; sharing itself is for backends with processes.
/// </remarks>
public readonly record struct MaxNbytes
{
    private const long DefaultBytes = 1L << 20;
    private const long NeverBytes = -1;

    // Held as the difference to the default, so that default(MaxNbytes) is the default.
    private readonly long _offset;

    private MaxNbytes(long bytes) => _offset = bytes - DefaultBytes;

    /// <summary>1 MiB.</summary>
    public static MaxNbytes Default => default;

    /// <summary>No array is shared: each is sent.</summary>
    public static MaxNbytes Never { get; } = new(NeverBytes);

    /// <summary>The threshold in bytes; null when no array is shared.</summary>
    public long? Bytes => _offset + DefaultBytes == NeverBytes ? null : _offset + DefaultBytes;

    /// <summary>A threshold in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static implicit operator MaxNbytes(int bytes) => FromInt64(bytes);

    /// <summary>A threshold in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static implicit operator MaxNbytes(long bytes) => FromInt64(bytes);

    /// <summary>A threshold such as <c>"1M"</c>.</summary>
    /// <exception cref="ArgumentException">Not a number followed by K, M or G.</exception>
    public static implicit operator MaxNbytes(string text) => FromString(text);

    /// <summary>A threshold in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public static MaxNbytes FromInt64(long bytes) => bytes >= 0
        ? new MaxNbytes(bytes)
        : throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"maxNbytes must not be '{bytes}'. Use '0' or more bytes, or MaxNbytes.Never.");

    /// <summary>A threshold such as <c>"1M"</c>.</summary>
    /// <exception cref="ArgumentException">Not a number followed by K, M or G.</exception>
    public static MaxNbytes FromString(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var shift = text.Length == 0 ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        if (shift > 0
            && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and < 1e9)
        {
            return new MaxNbytes((long)(number * (1L << shift)));
        }

        throw new ArgumentException($"maxNbytes must not be '{text}'. Use a size such as '500K', '1.5M' or '2G', or a number of bytes without quotes.", nameof(text));
    }

    /// <inheritdoc/>
    public override string ToString() => Bytes?.ToString(CultureInfo.InvariantCulture) ?? "never";
}
