namespace Orleans.Joblib;

/// <summary>What a silo's host shares with a client.</summary>
/// <param name="Proofs">For each folder that it was asked about, the proof that it has read the client's token there; null where it has not.</param>
/// <param name="Files">The kernel and the namespace of files that the silo lives in: who lives in the same sees the same files.</param>
/// <param name="Blobs">The blob storage that the silo uses, without what gives access to it; null for none.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayHost")]
public sealed record ArrayHost(
    [property: Id(0)] byte[]?[] Proofs,
    [property: Id(1)] string Files,
    [property: Id(2)] string? Blobs);
