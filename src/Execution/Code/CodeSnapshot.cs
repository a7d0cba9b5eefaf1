namespace Orleans.Joblib;

/// <summary>A code set at one moment, with the places that its pieces come from. Immutable.</summary>
/// <param name="Manifest">What a silo is told.</param>
/// <param name="Sources">Where this process has each piece.</param>
internal sealed record CodeSnapshot(CodeManifest Manifest, IReadOnlyDictionary<CodeHash, CodeSource> Sources);
