namespace Orleans.Joblib;

/// <summary>What client and silo must agree on to work together: the grain interfaces, the wire records and the form of payloads.</summary>
internal static class JoblibProtocol
{
    /// <summary>Raised by every change that an older client or silo would misread. A silo says it in <see cref="SiloSlots.Protocol"/>, a coordinator in <see cref="RunGrant.Protocol"/>.</summary>
    internal const int Version = 1;

    /// <summary>The longest payload of a batch or its outcome, in bytes: Orleans breaks a connection that is given more than 100 MiB in a message.</summary>
    internal const int MostPayloadBytes = 64 << 20;
}
