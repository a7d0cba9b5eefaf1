namespace Orleans.Joblib;

/// <summary>A large array among the results of a batch: where the silo keeps it until the client has it.</summary>
/// <param name="Path">What the payload calls it: its file at the silo.</param>
/// <param name="Content">What it holds; a length of 0 where the client shares the silo's files and needs no more than the name.</param>
/// <param name="Blob">The blob that it is in; null when the client asks the silo for it.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayResult")]
public sealed record ArrayResult(
    [property: Id(0)] string Path,
    [property: Id(1)] ArrayContent Content,
    [property: Id(2)] string? Blob)
{
    /// <summary>Whether the client finds it by its name, without fetching anything.</summary>
    internal bool IsShared => Content.Length == 0;

    /// <summary>One in a file that the client sees, too.</summary>
    internal static ArrayResult Shared(string path) => new(path, new ArrayContent(0, 0, 0, 0), null);
}
