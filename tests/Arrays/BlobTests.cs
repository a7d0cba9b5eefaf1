using System.Net;
using System.Net.Sockets;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Arrays in blob storage: Azurite's, a real server of the protocol.</summary>
public sealed class BlobTests(BlobTests.Server server) : IClassFixture<BlobTests.Server>, IDisposable
{
    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
    private readonly string _container = $"c{Guid.NewGuid():n}";

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(BlobTransfer.PartBytes)]
    [InlineData((3 * BlobTransfer.PartBytes) + 100_001)]
    public async Task Array_ThereAndBack_IsTheSame_AndGoesWithItsLastUser(int length)
    {
        using var store = Store();
        var (path, content) = NewFile(length);
        await using var blobs = Blobs();
        var one = await blobs.KeepAsync(path, content);
        var other = await blobs.KeepAsync(path, content);
        var name = one.Name;
        Assert.Equal(name, other.Name);
        Assert.Equal(length, blobs.BytesSent);
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            await Storage().DownloadAsync(name, incoming, TestContext.Current.CancellationToken);
            using var lease = incoming.Keep();
            Assert.Equal(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(lease.Segment.Path, TestContext.Current.CancellationToken));
        }

        await one.ReleaseAsync();
        await one.ReleaseAsync();
        Assert.True(await Storage().ExistsAsync(name));
        await other.ReleaseAsync();
        Assert.Empty(Names());
    }

    [Fact]
    public async Task Vanished_IsSaid_AndSentAgainByWhoHasIt()
    {
        using var store = Store();
        var (path, content) = NewFile(100_000);
        await using var blobs = Blobs();
        var vanished = await blobs.KeepAsync(path, content);
        var name = vanished.Name;
        await Storage().DeleteAsync(name);
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            Assert.EndsWith("#blob-gone", (await Assert.ThrowsAsync<JoblibException>(() => Storage().DownloadAsync(name, incoming, default))).HelpLink, StringComparison.Ordinal);
            vanished.Vanished();
            var again = await blobs.KeepAsync(path, content);
            Assert.NotEqual(name, again.Name);

            // Whoever had the one that has gone lets go of that one.
            await vanished.ReleaseAsync();
            await Storage().DownloadAsync(again.Name, incoming, default);
            incoming.Keep().Dispose();
            await again.ReleaseAsync();
        }

        Assert.Empty(Names());
    }

    [Theory]
    [InlineData(300_000, true)]
    [InlineData(300_001, false)]
    [InlineData(299_999, false)]
    [InlineData(0, false)]
    public async Task OtherBytes_OrAnotherLength_AreRefused(int length, bool changed)
    {
        using var store = Store();
        var (path, content) = NewFile(300_000);
        await using var blobs = Blobs();
        var name = (await blobs.KeepAsync(path, content)).Name;
        var bytes = new byte[length];
        (await File.ReadAllBytesAsync(path)).AsSpan(0, Math.Min(300_000, length)).CopyTo(bytes);
        if (changed)
        {
            bytes[200_000] ^= 1;
        }

        await Storage().Container.GetBlobClient(name).UploadAsync(new BinaryData(bytes), overwrite: true);
        using var incoming = store.TryReceive(content).Incoming!;
        var thrown = await Assert.ThrowsAsync<JoblibException>(async () =>
        {
            await Storage().DownloadAsync(name, incoming, default);
            incoming.Keep();
        });
        Assert.EndsWith(length == 0 ? "#blob-unreachable" : "#array-corrupt", thrown.HelpLink, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongKey_IsDenied_AndNoKeyIsSaid()
    {
        var key = Convert.ToBase64String(new byte[64]);
        await using var blobs = new SharedBlobs(BlobStorage.Parse(server.Azurite.Setting(_container, key)), NullLogger.Instance);
        var (path, content) = NewFile(1000);
        var thrown = await Assert.ThrowsAsync<JoblibException>(() => blobs.KeepAsync(path, content));
        Assert.EndsWith("#blob-denied", thrown.HelpLink, StringComparison.Ordinal);
        Assert.Contains("Storage Blob Data Contributor", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key, thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Identity_ThatIsMissing_IsSaidWithTheRemedy()
    {
        // Of the places where an identity is looked for, the one that asks nobody else.
        using var variables = new Variables(("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential"), ("AZURE_CLIENT_ID", null), ("AZURE_TENANT_ID", null), ("AZURE_CLIENT_SECRET", null));
        await using var blobs = new SharedBlobs(BlobStorage.Parse("https://account.blob.core.windows.net/mine"), NullLogger.Instance);
        var (path, content) = NewFile(1000);
        var thrown = await Assert.ThrowsAsync<JoblibException>(() => blobs.KeepAsync(path, content));
        Assert.EndsWith("#blob-login", thrown.HelpLink, StringComparison.Ordinal);
        Assert.Contains("https://account.blob.core.windows.net/mine", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("az login", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("AZURE_CLIENT_ID", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Identity_LookedForWhereThereIsNoSuchPlace_IsSaidWithTheSetting()
    {
        using var variables = new Variables(("AZURE_TOKEN_CREDENTIALS", "nowhere"));
        var thrown = Assert.Throws<ArgumentException>(() => BlobStorage.Parse("https://account.blob.core.windows.net"));
        Assert.Contains("AZURE_TOKEN_CREDENTIALS", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StorageThatIsAway_IsSaid()
    {
        using var azurite = await Azurite.StartAsync();
        await using var blobs = new SharedBlobs(BlobStorage.Parse(azurite.Setting(_container)), NullLogger.Instance);
        var (path, content) = NewFile(1000);
        await blobs.KeepAsync(path, content);
        azurite.Kill();
        using var store = Store();
        using var incoming = store.TryReceive(content).Incoming!;
        var thrown = await Assert.ThrowsAsync<JoblibException>(() => blobs.Storage.DownloadAsync("x/y", incoming, default));
        Assert.EndsWith("#blob-unreachable", thrown.HelpLink, StringComparison.Ordinal);
        Assert.Contains(azurite.Host, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoredAgain_IsNotWhatItsFormerUserDeletes()
    {
        await using var blobs = Blobs();
        var (path, content) = NewFile(1000);
        var (otherPath, otherContent) = NewFile(1000);
        await blobs.KeepAsync(otherPath, otherContent);
        var former = await blobs.KeepAsync(path, content);
        await former.ReleaseAsync();
        var present = await blobs.KeepAsync(path, content);

        // As when its first request was answered late.
        await Storage().DeleteAsync(former.Name);
        Assert.True(await Storage().ExistsAsync(present.Name));
    }

    [Fact]
    public async Task Cancelled_InMidUpload_LeavesNothing_AndOthersGetTheirs()
    {
        using var storage = new LateStorage(server.Azurite.Setting(_container));
        await using var blobs = new SharedBlobs(storage.Storage, NullLogger.Instance);
        var (path, content) = NewFile(1000);
        var (otherPath, otherContent) = NewFile(1000);
        using var ending = new CancellationTokenSource();
        var given = blobs.KeepAsync(path, content, ending.Token);
        var shared = blobs.KeepAsync(otherPath, otherContent, ending.Token);
        var others = blobs.KeepAsync(otherPath, otherContent);
        Patience.Until(() => storage.Stored == 2, "the blobs to be stored");
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shared);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blobs.KeepAsync(path, content, ending.Token));
        storage.Answer();
        var kept = await others;
        Patience.Until(() => Names().Length == 2, "the blob that nobody wants to go");
        Assert.True(await Storage().ExistsAsync(kept.Name));
        await kept.ReleaseAsync();
        Assert.Empty(Names());
    }

    [Fact]
    public async Task Results_LetGoWhileTheyAreUploaded_LeaveNothing()
    {
        using var storage = new LateStorage(server.Azurite.Setting(_container));
        await using var blobs = new SharedBlobs(storage.Storage, NullLogger.Instance);
        var results = new Silo.KeptResults([NewFile(1000).Path, NewFile(1000).Path], []);
        var describing = results.DescribeAsync(blobs);
        Patience.Until(() => storage.Stored == 1, "the first blob to be stored");

        // Its run has ended.
        var ended = results.DisposeAsync().AsTask();
        storage.Answer();
        await ended;
        Patience.Until(() => describing.IsCompleted && Names().Length == 0, "the blob and the lease to go");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => describing);
        Assert.Equal(1, storage.Stored);
    }

    [Fact]
    public void Results_OneInAPlaceOfNobody_TheOthersAreLetGo()
    {
        using var store = Store();
        using var lease = store.PutUnshared(ArrayView.TryOf(new byte[1000])!.Value);
        var path = lease.Segment.Path;
        lease.Dispose();
        Assert.Throws<JoblibException>(() => Silo.KeptResults.TryOf([path, "/etc/passwd"], new ArraySettings(1, MmapMode.ReadOnly, [_folder.Root])));
        Assert.NotNull(SegmentFile.TryDelete(path, evenIfKept: true));
    }

    [Fact]
    public async Task StorageThatSwallowsEverything_ManyArrays_WaitForOneAttempt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var marks = 0;
        var serving = Task.Run(async () =>
        {
            while (true)
            {
                _ = SwallowAsync(await listener.AcceptTcpClientAsync());
            }
        });
        var setting = $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;BlobEndpoint=http://{listener.LocalEndpoint}/a;Container=c";
        var options = new BlobClientOptions { Retry = { MaxRetries = 1, Delay = TimeSpan.Zero, NetworkTimeout = TimeSpan.FromSeconds(1) } };
        await using var blobs = new SharedBlobs(BlobStorage.Parse(setting, options), NullLogger.Instance);
        var keeping = Enumerable.Range(0, 10).Select(_ => NewFile(1000)).ToArray().Select(file => blobs.KeepAsync(file.Path, file.Content)).ToArray();
        foreach (var one in keeping)
        {
            Assert.EndsWith("#blob-unreachable", Assert.IsType<JoblibException>(Patience.ThrownBy(() => Patience.Await(one, "the storage to be given up"))).HelpLink, StringComparison.Ordinal);
        }

        // A request and its one repetition, for all of them.
        Assert.Equal(2, Volatile.Read(ref marks));
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);

        async Task SwallowAsync(TcpClient client)
        {
            using (client)
            using (var reader = new StreamReader(client.GetStream()))
            {
                var line = await reader.ReadLineAsync();
                if (line?.StartsWith("PUT", StringComparison.Ordinal) == true && line.Contains("/lease", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref marks);
                }

                await reader.ReadToEndAsync();
            }
        }
    }

    [Fact]
    public async Task ProcessesThatAreGone_TheirBlobsAreSwept_AndNoOthers()
    {
        var (path, content) = NewFile(1000);
        await using var living = Blobs();
        var kept = (await living.KeepAsync(path, content)).Name;
        var container = Storage().Container;
        var dead = Guid.NewGuid().ToString("n");
        await container.GetBlobClient($"{dead}/lease").UploadAsync(new BinaryData("x"));
        await container.GetBlobClient($"{dead}/array").UploadAsync(new BinaryData("x"));
        await container.GetBlobClient("somebody/else").UploadAsync(new BinaryData("x"));
        var blocks = Azure.Storage.Blobs.Specialized.SpecializedBlobExtensions.GetBlockBlobClient(container, $"{dead}/unfinished");
        await blocks.StageBlockAsync(Convert.ToBase64String(new byte[8]), new MemoryStream(new byte[100]));

        Assert.Equal(0, await BlobLease.SweepAsync(Storage()));
        Assert.Equal(5, Names().Length);

        // As if time had passed for all but the living, who renews.
        Patience.Until(
            () =>
            {
                container.GetBlobClient(kept[..32] + "/lease").SetMetadata(new Dictionary<string, string>());
                return BlobLease.SweepAsync(Storage(), TimeSpan.FromSeconds(3)).GetAwaiter().GetResult() == 3;
            },
            "the sweep");
        Assert.Equal([kept, kept[..32] + "/lease", "somebody/else"], Names().Order(StringComparer.Ordinal).OrderByDescending(name => name.StartsWith(kept[..32], StringComparison.Ordinal)).ToArray());
        Assert.Empty(container.GetBlobs(new Azure.Storage.Blobs.Models.GetBlobsOptions { States = Azure.Storage.Blobs.Models.BlobStates.Uncommitted, Prefix = dead }));
    }

    [Theory]
    [InlineData("https://account.blob.core.windows.net", "https://account.blob.core.windows.net/joblib-arrays")]
    [InlineData("https://account.blob.core.windows.net/mine", "https://account.blob.core.windows.net/mine")]
    [InlineData("https://account.blob.core.windows.net/mine?sv=2022-11-02&sig=secret", "https://account.blob.core.windows.net/mine")]
    [InlineData("UseDevelopmentStorage=true;Container=mine", "http://127.0.0.1:10000/devstoreaccount1/mine")]
    public void Setting_NamesAContainer(string setting, string place) => Assert.Equal(place, BlobStorage.Parse(setting).Place);

    [Theory]
    [InlineData("http://account.blob.core.windows.net")]
    [InlineData("https://account.blob.core.windows.net/mine/blob")]
    [InlineData("AccountKey=secret")]
    [InlineData("nonsense")]
    [InlineData("")]
    public void Setting_ThatNamesNone_IsRefusedWithoutItsKey(string setting)
    {
        var thrown = Assert.Throws<ArgumentException>(() => BlobStorage.Parse(setting));
        Assert.DoesNotContain("secret", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new OrleansBackendOptions { Blobs = setting });
        Assert.NotNull(new Silo.SiloArrayOptionsValidator().Validate(null, new Silo.SiloArrayOptions { Blobs = setting, Folder = "relative", MaxBytes = 1 }).Failures?.ElementAt(2));
    }

    private BlobStorage Storage() => BlobStorage.Parse(server.Azurite.Setting(_container));

    private SharedBlobs Blobs() => new(Storage(), NullLogger.Instance);

    private string[] Names() => [.. Storage().Container.GetBlobs().Select(blob => blob.Name)];

    private (string Path, ArrayContent Content) NewFile(int length)
    {
        var path = _folder[Guid.NewGuid().ToString("n")];
        var bytes = new byte[length];
        Random.Shared.NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        using var file = File.OpenHandle(path);
        return (path, ContentHash.Of(file, length, 7));
    }

    private ArrayStore Store() => new(new ArrayStoreOptions { TempFolder = _folder.Root });

    private sealed class Variables : IDisposable
    {
        private readonly (string Name, string? Before)[] _before;

        internal Variables(params (string Name, string? Value)[] variables)
        {
            _before = [.. variables.Select(variable => (variable.Name, Environment.GetEnvironmentVariable(variable.Name)))];
            foreach (var (name, value) in variables)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        public void Dispose()
        {
            foreach (var (name, value) in _before)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }
    }

    /// <summary>Storage that stores arrays at once and says so when it is told to.</summary>
    private sealed class LateStorage : DelegatingHandler
    {
        private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _stored;

        internal LateStorage(string setting)
            : base(new SocketsHttpHandler()) =>
            Storage = BlobStorage.Parse(setting, new BlobClientOptions { Transport = new HttpClientTransport(this) });

        internal BlobStorage Storage { get; }

        internal int Stored => Volatile.Read(ref _stored);

        internal void Answer() => _answer.TrySetResult();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (request.Method == HttpMethod.Put && response.IsSuccessStatusCode && request.RequestUri is { Query: "" } uri && !uri.AbsolutePath.EndsWith("/lease", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _stored);
                await _answer.Task.WaitAsync(cancellationToken);
            }

            return response;
        }
    }

    public sealed class Server : IAsyncLifetime
    {
        private Azurite? _azurite;

        public Azurite Azurite => _azurite!;

        public async ValueTask InitializeAsync() => _azurite = await Azurite.StartAsync();

        public ValueTask DisposeAsync()
        {
            _azurite?.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
