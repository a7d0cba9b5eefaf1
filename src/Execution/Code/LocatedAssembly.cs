using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>An assembly of this program with the place that its bytes come from.</summary>
/// <param name="Facts">What its bytes say.</param>
/// <param name="Source">Where they are.</param>
/// <param name="Path">Its file's path, when it has one.</param>
/// <param name="Context">The context that its references are looked up in.</param>
internal sealed record LocatedAssembly(AssemblyFacts Facts, CodeSource Source, string? Path, AssemblyLoadContext Context);
