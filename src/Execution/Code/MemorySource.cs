namespace Orleans.Joblib;

/// <summary>An assembly that exists only in this process's memory.</summary>
internal sealed class MemorySource(string name, byte[] bytes) : CodeSource
{
    internal override string Place => $"{name} (in memory)";

    internal override Stream Open() => new MemoryStream(bytes, writable: false);
}
