using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib.Silo;

/// <summary>A piece of code that is arriving: a temporary file, locked while it is being written so that no other silo's sweep takes it.</summary>
internal sealed class CodeDraft(string path, FileStream file) : IDisposable
{
    internal string Path => path;

    internal SafeFileHandle Handle => file.SafeFileHandle;

    internal CodeHash ReadHash()
    {
        file.Position = 0;
        return CodeHash.Of(file);
    }

    /// <summary>Lets go of the file but leaves it there.</summary>
    internal void Close() => file.Dispose();

    public void Dispose()
    {
        file.Dispose();
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start's sweep takes it.
        }
    }
}
