namespace Orleans.Joblib;

/// <summary>A part of an array's file on its way to a silo, or from one.</summary>
/// <param name="Content">The array.</param>
/// <param name="Offset">Where this part begins: a multiple of <see cref="MostBytes"/>.</param>
/// <param name="Bytes">The part: <see cref="MostBytes"/>, or what is left of the array.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayChunk")]
public sealed record ArrayChunk(
    [property: Id(0)] ArrayContent Content,
    [property: Id(1)] long Offset,
    [property: Id(2)] byte[] Bytes)
{
    /// <summary>A chunk's bytes: 4 MiB. A few in flight fill a connection; other messages still get through between two.</summary>
    public const int MostBytes = 4 << 20;
}
