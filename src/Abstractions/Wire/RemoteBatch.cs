namespace Orleans.Joblib;

/// <summary>A batch as it travels.</summary>
/// <param name="Handle">The client's handle of the batch: one execution's outcome is worth another's.</param>
/// <param name="Number">The batch's number within its run.</param>
/// <param name="FirstCallIndex">The place of its first call in the user's sequence.</param>
/// <param name="Calls">How many calls.</param>
/// <param name="Payload">The calls, encoded.</param>
/// <param name="Timeout">The deadline of one call from its own start; null for none.</param>
/// <param name="NestingLevel">How many loops stand around a loop inside these calls.</param>
/// <param name="TraceParent">The batch's span at the client, as W3C traceparent; null when nobody listens.</param>
/// <param name="Arrays">The large arrays that the payload refers to and that the silo's host was brought, by their files at the client; null for none.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RemoteBatch")]
public sealed record RemoteBatch(
    [property: Id(0)] long Handle,
    [property: Id(1)] long Number,
    [property: Id(2)] long FirstCallIndex,
    [property: Id(3)] int Calls,
    [property: Id(4)] byte[] Payload,
    [property: Id(5)] TimeSpan? Timeout,
    [property: Id(6)] int NestingLevel,
    [property: Id(7)] string? TraceParent,
    [property: Id(8)] string[]? Arrays = null);
