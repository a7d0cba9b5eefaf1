namespace Orleans.Joblib;

/// <summary>What tells a file's contents from those that it had before.</summary>
internal readonly record struct FileStamp(DateTime Written, long Length)
{
    /// <summary>Of the file that a path leads to. A volume of Kubernetes is full of links, which stay as they are when what they lead to is replaced.</summary>
    internal static FileStamp Of(string? path)
    {
        if (path is null)
        {
            return default;
        }

        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            return new FileStamp(File.GetLastWriteTimeUtc(file), RandomAccess.GetLength(file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is being replaced.
            return default;
        }
    }
}
