namespace Orleans.Joblib;

/// <summary>A file inside a single-file program.</summary>
internal sealed class BundleSource(BundleEntry entry) : CodeSource
{
    internal override string Place => $"{entry.RelativePath} in {entry.Program}";

    internal override Stream Open() => new MemoryStream(entry.Read(), writable: false);
}
