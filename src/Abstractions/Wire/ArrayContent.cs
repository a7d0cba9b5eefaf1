namespace Orleans.Joblib;

/// <summary>What a large array's file holds, wherever it is: a hash of it with a seed of its host's, and its length.</summary>
/// <param name="Upper">The hash's first eight bytes.</param>
/// <param name="Lower">Its last eight.</param>
/// <param name="Seed">What was mixed into it.</param>
/// <param name="Length">Bytes of the file.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.ArrayContent")]
public sealed record ArrayContent(
    [property: Id(0)] ulong Upper,
    [property: Id(1)] ulong Lower,
    [property: Id(2)] long Seed,
    [property: Id(3)] long Length)
{
    /// <summary>32 hexadecimal digits of the hash, 16 of the seed.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Upper:x16}{Lower:x16}{Seed:x16}");
}
