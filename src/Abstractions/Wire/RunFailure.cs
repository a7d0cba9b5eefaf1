namespace Orleans.Joblib;

/// <summary>What ended a run, as text: for people who look at the cluster, not for programs.</summary>
/// <param name="Exception">The exception's type and message.</param>
/// <param name="CallIndex">The call's place in the sequence, from 0; null when no call was at fault.</param>
/// <param name="Call">The function and its arguments, each cut at 80 characters; null when no call was at fault.</param>
/// <param name="StackTrace">The stack where the call was made; null when there is none.</param>
/// <param name="Worker">The machine, process and worker that made the call; null when no call was at fault.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunFailure")]
public sealed record RunFailure(
    [property: Id(0)] string Exception,
    [property: Id(1)] long? CallIndex = null,
    [property: Id(2)] string? Call = null,
    [property: Id(3)] string? StackTrace = null,
    [property: Id(4)] string? Worker = null);
