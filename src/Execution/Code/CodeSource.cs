namespace Orleans.Joblib;

/// <summary>Where a piece of code can be read on the client.</summary>
internal abstract class CodeSource
{
    /// <summary>Names the place in errors.</summary>
    internal abstract string Place { get; }

    /// <summary>Reads it from its start; the caller disposes the stream.</summary>
    internal abstract Stream Open();

    /// <summary>Reads all of it.</summary>
    internal byte[] ReadAll()
    {
        using var stream = Open();
        var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
