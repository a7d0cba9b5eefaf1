namespace Orleans.Joblib.Silo;

/// <summary>A piece of code that a client has been asked to send. Guarded by <see cref="CodeUploads"/>, but for its writes.</summary>
internal sealed class CodeUpload(long length)
{
    private readonly HashSet<long> _begun = [];
    private long _written;

    internal long Length { get; } = length;

    /// <summary>The file, once the first part has come.</summary>
    internal CodeDraft? Draft { get; set; }

    /// <summary>When it was asked for, or its latest part came.</summary>
    internal long ProgressAt { get; set; }

    /// <summary>Parts that are being written.</summary>
    internal int Writing { get; set; }

    /// <summary>Ends when the piece is in the cache, or is not going to be.</summary>
    internal TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why it failed; other parts that are being written then fail for the same reason.</summary>
    internal Exception? Failure { get; set; }

    /// <summary>Whether a part is the first of its offset: one that comes twice is not written over what may have been verified already.</summary>
    internal bool TryBegin(long offset) => _begun.Add(offset);

    /// <summary>Notes that a part was written.</summary>
    /// <returns>Whether it was the last.</returns>
    internal bool Written() => ++_written == Math.Max(1, (Length + CodeChunk.MostBytes - 1) / CodeChunk.MostBytes);
}
