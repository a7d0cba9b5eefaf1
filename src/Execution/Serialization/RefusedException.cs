namespace Orleans.Joblib;

/// <summary>Something cannot travel. Thrown inside the codec; the encoder adds the path and makes it a <see cref="CannotTravelException"/>, the decoder a bad payload.</summary>
internal sealed class RefusedException(Type? type, string reason, object? offender) : Exception(reason)
{
    /// <summary>What cannot travel; null where it is no single type.</summary>
    public Type? Type { get; } = type;

    /// <summary>Reads behind the type's name: "holds an operating system handle".</summary>
    public string Reason { get; } = reason;

    /// <summary>The object itself, or the boxed value; null when its type alone is enough to refuse it.</summary>
    public object? Offender { get; } = offender;

    /// <summary>What the user can do besides the usual.</summary>
    public string? Remedy { get; init; }
}
