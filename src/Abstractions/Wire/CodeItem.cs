namespace Orleans.Joblib;

/// <summary>One piece of a code set.</summary>
/// <param name="Kind">Assembly or native library.</param>
/// <param name="Name">An assembly's simple name; a native library's file name.</param>
/// <param name="Version">The assembly's version; empty for a native library.</param>
/// <param name="Culture">A satellite's culture; else empty.</param>
/// <param name="Mvid">The assembly's module version id; empty for a native library.</param>
/// <param name="Hash">SHA-256 of its bytes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Framework">What the assembly was compiled for, as <c>.NETCoreApp,Version=v10.0</c>; empty when it does not say.</param>
/// <param name="Platform">The only platform that it runs on, as <c>linux-x64</c>; empty for any.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.CodeItem")]
public sealed record CodeItem(
    [property: Id(0)] CodeItemKind Kind,
    [property: Id(1)] string Name,
    [property: Id(2)] string Version,
    [property: Id(3)] string Culture,
    [property: Id(4)] Guid Mvid,
    [property: Id(5)] CodeHash Hash,
    [property: Id(6)] long Length,
    [property: Id(7)] string Framework,
    [property: Id(8)] string Platform);
