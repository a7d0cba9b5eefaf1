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
        var name = await blobs.KeepAsync(path, content);
        Assert.Equal(name, await blobs.KeepAsync(path, content));
        Assert.Equal(length, blobs.BytesSent);
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            await Storage().DownloadAsync(name, incoming, TestContext.Current.CancellationToken);
            using var lease = incoming.Keep();
            Assert.Equal(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(lease.Segment.Path, TestContext.Current.CancellationToken));
        }

        await blobs.ReleaseAsync(content);
        Assert.True(await Storage().ExistsAsync(name));
        await blobs.ReleaseAsync(content);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task Vanished_IsSaid_AndSentAgainByWhoHasIt()
    {
        using var store = Store();
        var (path, content) = NewFile(100_000);
        await using var blobs = Blobs();
        var name = await blobs.KeepAsync(path, content);
        await Storage().DeleteAsync(name);
        using (var incoming = store.TryReceive(content).Incoming!)
        {
            Assert.EndsWith("#blob-gone", (await Assert.ThrowsAsync<JoblibException>(() => Storage().DownloadAsync(name, incoming, default))).HelpLink, StringComparison.Ordinal);
            var again = await blobs.KeepAsync(path, content, gone: name);
            Assert.NotEqual(name, again);
            await Storage().DownloadAsync(again, incoming, default);
            incoming.Keep().Dispose();
        }

        await blobs.ReleaseAsync(content);
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
        var name = await blobs.KeepAsync(path, content);
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
    public async Task ProcessesThatAreGone_TheirBlobsAreSwept_AndNoOthers()
    {
        var (path, content) = NewFile(1000);
        await using var living = Blobs();
        var kept = await living.KeepAsync(path, content);
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
