namespace Orleans.Joblib;

/// <summary>An array that a batch refers to and that the silo's host does not share.</summary>
/// <param name="Path">What batches call it: its file at the client.</param>
/// <param name="Content">What it holds.</param>
/// <param name="Blob">The blob that it is in; null when the client would send it.</param>
/// <param name="AsksOnly">Whether the silo is only asked if its host has it already.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayOffer")]
public sealed record ArrayOffer(
    [property: Id(0)] string Path,
    [property: Id(1)] ArrayContent Content,
    [property: Id(2)] string? Blob = null,
    [property: Id(3)] bool AsksOnly = false);
