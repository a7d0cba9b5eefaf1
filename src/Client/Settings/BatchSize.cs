using System.Globalization;

namespace Orleans.Joblib;

/// <summary>Calls that a worker receives in one message.</summary>
/// <value>1 to 1,048,576 calls; default <see cref="Auto"/>, which aims at 0.2 s to 2 s a batch on a cluster and at 0.1 ms to 1 ms on threads.</value>
/// <remarks>Converts from <see cref="int"/> and from the string <c>"auto"</c>. joblib 1.6: <c>batch_size</c>, <c>AutoBatchingMixin</c>.</remarks>
public readonly record struct BatchSize
{
    /// <summary>The most calls of a batch.</summary>
    public const int MaxCalls = 1 << 20;

    private readonly int _calls;

    private BatchSize(int calls) => _calls = calls;

    /// <summary>The backend chooses, and follows the time that batches take.</summary>
    public static BatchSize Auto => default;

    /// <summary>Whether the backend chooses.</summary>
    public bool IsAuto => _calls == 0;

    /// <summary>Calls in a batch; 0 when the backend chooses.</summary>
    public int Calls => _calls;

    /// <summary>A fixed number of calls.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not within 1 to 1,048,576.</exception>
    public static implicit operator BatchSize(int calls) => FromInt32(calls);

    /// <summary><c>"auto"</c>.</summary>
    /// <exception cref="ArgumentException">Any other text.</exception>
    public static implicit operator BatchSize(string text) => FromString(text);

    /// <summary>A fixed number of calls.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not within 1 to 1,048,576.</exception>
    public static BatchSize FromInt32(int calls) => calls is >= 1 and <= MaxCalls
        ? new BatchSize(calls)
        : throw new ArgumentOutOfRangeException(nameof(calls), calls, $"batchSize must not be '{calls}'. Use '1' to '{MaxCalls}', or 'auto'.");

    /// <summary><c>"auto"</c>.</summary>
    /// <exception cref="ArgumentException">Any other text.</exception>
    public static BatchSize FromString(string text) => text == "auto"
        ? Auto
        : throw new ArgumentException($"batchSize must not be '{text}'. Use 'auto' or a number of calls from 1 to {MaxCalls}.", nameof(text));

    /// <inheritdoc/>
    public override string ToString() => IsAuto ? "auto" : _calls.ToString(CultureInfo.InvariantCulture);
}
