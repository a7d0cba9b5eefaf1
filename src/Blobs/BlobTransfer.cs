using System.Buffers;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Orleans.Joblib;

/// <summary>How an array's file goes to and from a blob.</summary>
internal static class BlobTransfer
{
    /// <summary>Blocks and ranges of so many bytes: a multiple of a piece that is hashed.</summary>
    internal const int PartBytes = 8 << 20;

    private const int PartsAtOnce = 8;

    internal static StorageTransferOptions Options => new() { InitialTransferSize = PartBytes, MaximumTransferSize = PartBytes, MaximumConcurrency = PartsAtOnce };

    /// <summary>Every range goes to its place as it comes.</summary>
    internal static async Task DownloadAsync(BlobClient blob, IncomingSegment into, CancellationToken cancellationToken)
    {
        var length = into.Content.Length;
        var parts = (length + PartBytes - 1) / PartBytes;
        await Parallel.ForAsync(0, parts, new ParallelOptions { MaxDegreeOfParallelism = PartsAtOnce, CancellationToken = cancellationToken }, async (part, ending) =>
        {
            var start = part * PartBytes;
            var bytes = Math.Min(PartBytes, length - start);
            var response = await blob.DownloadStreamingAsync(new BlobDownloadOptions { Range = new HttpRange(start, bytes) }, ending).ConfigureAwait(false);
            using var answer = response.Value;
            if (TotalLength(answer.Details) is { } total && total != length)
            {
                throw new JoblibException(
                    "array-corrupt", $"The blob of an array of {length} bytes has {total} bytes. Something else writes to the container; nothing of it was used. Run the loop again.");
            }

            var buffer = ArrayPool<byte>.Shared.Rent(ArrayHash.PieceBytes);
            try
            {
                for (long done = 0; done < bytes;)
                {
                    var piece = buffer.AsMemory(0, (int)Math.Min(ArrayHash.PieceBytes, bytes - done));
                    await answer.Content.ReadExactlyAsync(piece, ending).ConfigureAwait(false);
                    into.Write(start + done, piece.Span);
                    done += piece.Length;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }).ConfigureAwait(false);
    }

    // "bytes 0-1023/4096"
    private static long? TotalLength(BlobDownloadDetails details) =>
        details.ContentRange is { } range && long.TryParse(range.AsSpan(range.IndexOf('/', StringComparison.Ordinal) + 1), out var total) ? total : null;
}
