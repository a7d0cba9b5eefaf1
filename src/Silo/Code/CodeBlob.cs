namespace Orleans.Joblib.Silo;

/// <summary>A piece of code in the cache that this process is using: verified, and locked against eviction until it is disposed.</summary>
/// <remarks>The open file is the lock (shared; eviction needs it alone), so a silo that dies leaves none behind.</remarks>
internal sealed class CodeBlob(CodeStore store, CodeHash hash, string path, FileStream file) : IDisposable
{
    internal CodeHash Hash => hash;

    /// <summary>Where it is. A file that is already mapped may lose its name.</summary>
    internal string Path => path;

    /// <summary>All of it, verified once more: what is loaded is what was hashed.</summary>
    /// <exception cref="JoblibException">The file has changed since; it has been deleted, and will be asked for again.</exception>
    internal byte[] Read()
    {
        var bytes = new byte[RandomAccess.GetLength(file.SafeFileHandle)];
        for (var read = 0; read < bytes.Length;)
        {
            var more = RandomAccess.Read(file.SafeFileHandle, bytes.AsSpan(read), read);
            if (more == 0)
            {
                break;
            }

            read += more;
        }

        if (CodeHash.Of(bytes) == hash)
        {
            return bytes;
        }

        store.Delete(hash);
        throw new JoblibException("code-corrupt", $"'{path}' changed while it was in use. It was deleted and will be sent again: run again, and look for what writes to the code cache or for a failing disk.");
    }

    public void Dispose() => file.Dispose();
}
