namespace Orleans.Joblib;

/// <summary>What a payload may cost its reader. An encoder keeps to the same numbers, by padding where it must.</summary>
internal sealed record DecodeLimits
{
    /// <summary>Bytes of memory for each byte of payload.</summary>
    internal const int MemoryFactor = 64;

    /// <summary>Bytes of memory for any payload.</summary>
    internal const int FreeMemory = 1 << 20;

    internal static DecodeLimits Default { get; } = new();

    /// <summary>Calls in one batch.</summary>
    internal int MaxCalls { get; init; } = 1 << 24;

    /// <summary>Different types in one payload.</summary>
    internal int MaxTypes { get; init; } = 8192;

    internal static long Budget(int payloadBytes) => FreeMemory + ((long)MemoryFactor * payloadBytes);
}
