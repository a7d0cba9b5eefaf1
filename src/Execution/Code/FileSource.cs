namespace Orleans.Joblib;

/// <summary>A file of its own.</summary>
internal sealed class FileSource(string path) : CodeSource
{
    internal override string Place => path;

    internal override Stream Open() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
}
