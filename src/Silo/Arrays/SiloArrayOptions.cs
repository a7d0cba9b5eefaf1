namespace Orleans.Joblib.Silo;

/// <summary>Large arrays on a silo. Set them with <c>services.Configure&lt;SiloArrayOptions&gt;</c> or bind them to a configuration section; validated once at start.</summary>
public sealed class SiloArrayOptions
{
    /// <summary>The least <see cref="MaxBytes"/>: 16 MiB.</summary>
    public const long LeastMaxBytes = 16L << 20;

    /// <summary>
    /// The folder for arrays of clients that share no memory with this host; silos of one host and user should share it, so that an array comes to the host once. Default: null, which is what joblib
    /// takes: <c>JOBLIB_TEMP_FOLDER</c>, /dev/shm when it has more than 2 GB free, the system's folder for temporary files.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>
    /// The most bytes of arrays in that folder, of all processes of the user; 16 MiB or more. What no batch in hand uses makes room; what batches use stays, and what then finds no room is refused. Default: null,
    /// three quarters of the file system.
    /// </summary>
    public long? MaxBytes { get; set; }

    /// <summary>
    /// The blob storage that arrays go through between hosts: an address, <c>https://ACCOUNT.blob.core.windows.net[/CONTAINER]</c>, for this host's identity (DefaultAzureCredential), or a connection
    /// string, with <c>Container=NAME</c> in it for another container than <c>joblib-arrays</c>. Default: null: they go through the silos themselves, in chunks.
    /// </summary>
    public string? Blobs { get; set; }

    internal IReadOnlyList<string> Parents => new ArrayStoreOptions { TempFolder = Folder }.Parents();
}
