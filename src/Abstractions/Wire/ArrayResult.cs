namespace Orleans.Joblib;

/// <summary>A large array among the results of a batch: where the silo keeps it until the client has it.</summary>
/// <param name="Path">What the payload calls it: its file at the silo.</param>
/// <param name="Content">What it holds.</param>
/// <param name="Blob">The blob that it is in; null when the client asks the silo for it.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayResult")]
public sealed record ArrayResult(
    [property: Id(0)] string Path,
    [property: Id(1)] ArrayContent Content,
    [property: Id(2)] string? Blob);
