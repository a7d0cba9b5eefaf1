namespace Orleans.Joblib;

/// <summary>A part of a piece of code on its way to a silo.</summary>
/// <param name="Hash">The piece.</param>
/// <param name="Length">The whole piece's bytes.</param>
/// <param name="Offset">Where this part begins: a multiple of <see cref="MostBytes"/>.</param>
/// <param name="Bytes">The part: <see cref="MostBytes"/>, or what is left of the piece.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.CodeChunk")]
public sealed record CodeChunk(
    [property: Id(0)] CodeHash Hash,
    [property: Id(1)] long Length,
    [property: Id(2)] long Offset,
    [property: Id(3)] byte[] Bytes)
{
    /// <summary>A chunk's bytes: 1 MiB, where a message's throughput has reached its best and other messages still get through between two.</summary>
    public const int MostBytes = 1 << 20;
}
