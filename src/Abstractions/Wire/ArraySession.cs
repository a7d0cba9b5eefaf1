namespace Orleans.Joblib;

/// <summary>How the large arrays of a client's calls and results travel.</summary>
/// <param name="Run">One loop: what its calls write to its arrays is gone with it. A run of the cluster's is one or several.</param>
/// <param name="Host">Names the client's folders of arrays, which silos were asked to prove that they see.</param>
/// <param name="MaxBytes">Larger arrays of results travel apart from them.</param>
/// <param name="Mode">How calls see arrays: the number of a memory-mapping mode.</param>
/// <param name="TakesBlobs">Whether the client can fetch large results from blob storage.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArraySession")]
public sealed record ArraySession(
    [property: Id(0)] Guid Run,
    [property: Id(1)] Guid Host,
    [property: Id(2)] long MaxBytes,
    [property: Id(3)] byte Mode,
    [property: Id(4)] bool TakesBlobs);
