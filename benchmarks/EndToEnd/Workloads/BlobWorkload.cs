using System.Diagnostics;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Joblib.Tests;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>An array of 256 MiB to Azurite and back into shared memory, hashed on both ways, beside what Azure.Storage.Blobs alone does with the same file.</summary>
internal sealed class BlobWorkload : IWorkload
{
    private const int Bytes = 256 << 20;

    public string Name => "blob";

    public string Unit => "GiB/s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        using var azurite = Azurite.StartAsync(parent: "/dev/shm").GetAwaiter().GetResult();
        using var files = new Files();
        var storage = BlobStorage.Parse(azurite.Setting("benchmark"));
        storage.Container.CreateIfNotExists();
        foreach (var way in (string[])["upload", "download"])
        {
            InterleavedRuns.Run(
                this,
                options,
                [
                    Side("joblib", way, isPeer: false, () => way == "upload" ? UploadAsync(storage, files) : DownloadAsync(storage, files)),
                    Side("azure-sdk", way, isPeer: true, () => SdkAsync(storage, files, way, tuned: false)),
                    Side("azure-sdk-tuned", way, isPeer: true, () => SdkAsync(storage, files, way, tuned: true)),
                ],
                lines);
        }
    }

    private static Contender Side(string name, string way, bool isPeer, Func<Task<TimeSpan>> measure) => new(
        name,
        () => new Measurement((double)Bytes / (1L << 30) / Task.Run(measure).GetAwaiter().GetResult().TotalSeconds))
    {
        Variant = new("way", way),
        IsPeer = isPeer,
        Fields = new System.Text.Json.Nodes.JsonObject { ["bytes"] = Bytes },
    };

    private static async Task<TimeSpan> UploadAsync(BlobStorage storage, Files files)
    {
        var blobs = new SharedBlobs(storage, NullLogger.Instance);
        var began = Stopwatch.GetTimestamp();
        await blobs.KeepAsync(files.Source, files.Hash());
        var taken = Stopwatch.GetElapsedTime(began);
        await blobs.DisposeAsync();
        return taken;
    }

    private static async Task<TimeSpan> DownloadAsync(BlobStorage storage, Files files)
    {
        await using var blobs = new SharedBlobs(storage, NullLogger.Instance);
        var content = files.Hash();
        var name = (await blobs.KeepAsync(files.Source, content)).Name;
        using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = files.Folder });
        var began = Stopwatch.GetTimestamp();
        using var incoming = store.TryReceive(content).Incoming!;
        await storage.DownloadAsync(name, incoming, CancellationToken.None);
        using var lease = incoming.Keep();
        return Stopwatch.GetElapsedTime(began);
    }

    private static async Task<TimeSpan> SdkAsync(BlobStorage storage, Files files, string way, bool tuned)
    {
        var blob = storage.Container.GetBlobClient($"sdk/{Guid.NewGuid():n}");
        var transfer = tuned ? BlobTransfer.Options : default;
        var began = Stopwatch.GetTimestamp();
        await blob.UploadAsync(files.Source, new BlobUploadOptions { TransferOptions = transfer });
        if (way == "download")
        {
            var target = Path.Combine(files.Folder, Guid.NewGuid().ToString("n"));
            began = Stopwatch.GetTimestamp();
            await blob.DownloadToAsync(target, new BlobDownloadToOptions { TransferOptions = transfer });
            var taken = Stopwatch.GetElapsedTime(began);
            File.Delete(target);
            await blob.DeleteAsync();
            return taken;
        }

        var uploaded = Stopwatch.GetElapsedTime(began);
        await blob.DeleteAsync();
        return uploaded;
    }

    /// <summary>The array's file, in shared memory.</summary>
    private sealed class Files : IDisposable
    {
        internal Files()
        {
            Folder = Directory.CreateDirectory($"/dev/shm/joblib-benchmark-{Guid.NewGuid():n}").FullName;
            Source = Path.Combine(Folder, "source");
            using var file = File.Create(Source);
            var random = new Random(1);
            var part = new byte[1 << 20];
            for (var written = 0; written < Bytes; written += part.Length)
            {
                random.NextBytes(part);
                file.Write(part);
            }
        }

        internal string Folder { get; }

        internal string Source { get; }

        internal ArrayContent Hash()
        {
            using var file = File.OpenHandle(Source);
            return ContentHash.Of(file, Bytes, 1);
        }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
