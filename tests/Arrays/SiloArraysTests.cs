using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Arrays of clients on other hosts, as a silo takes them in.</summary>
public sealed class SiloArraysTests(BlobTests.Server server) : IClassFixture<BlobTests.Server>, IDisposable
{
    private const int Piece = ArrayHash.PieceBytes;

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
    private readonly FakeTimeProvider _time = new();
    private readonly string _container = $"c{Guid.NewGuid():n}";

    public void Dispose() => _folder.Dispose();

    // The first client stored the array and ended its run, the second has it in a blob of its own.
    [Fact]
    public async Task Fetch_TwoClientsHaveTheSameArray_EachInItsOwnBlob_TheFirstGoes()
    {
        await using var silo = Silo();
        var (bytes, content) = Content();
        using var first = Loop(silo);
        using var second = Loop(silo);
        await StoreAsync("second", bytes);
        using (Others(content))
        {
            await OnItsWayAsync(silo, first, new ArrayOffer("a", content, "first"));
            await OnItsWayAsync(silo, second, new ArrayOffer("b", content, "second"));
        }

        Assert.Equal(ArrayAnswer.Here, await AskAsync(silo, second, new ArrayOffer("b", content, "second")));
        Assert.Equal(ArrayAnswer.Here, await AskAsync(silo, first, new ArrayOffer("a", content, "first")));
    }

    [Fact]
    public async Task Fetch_EndedAfterItsRun_IsNotWhatTheNextRunIsTold()
    {
        await using var silo = Silo();
        var (bytes, content) = Content();
        using (var ended = Loop(silo))
        {
            using (Others(content))
            {
                await OnItsWayAsync(silo, ended, new ArrayOffer("a", content, "blob"));
            }

            Patience.Until(() => Advanced() && silo.Fetching == 0, "the fetch to fail");
        }

        await StoreAsync("blob", bytes);
        using var next = Loop(silo);
        Assert.Equal(ArrayAnswer.Here, await AskAsync(silo, next, new ArrayOffer("a", content, "blob")));
        Assert.Equal(ArrayAnswer.BlobGone, await AskAsync(silo, next, new ArrayOffer("b", Content(2).Content, "other")));
    }

    [Fact]
    public async Task Offer_OfAnEmptyFile_IsHereAtOnce()
    {
        await using var silo = Silo();
        using var loop = Loop(silo);
        var content = ContentHash.Of([], 7, 0);
        Assert.Equal(ArrayAnswer.Here, await silo.OfferAsync(loop, new ArrayOffer("a", content)));
        using var use = loop.TryUse(["a"]);
        Assert.Equal(0, new FileInfo(use!.Files!["a"]).Length);
    }

    // As when the user's last session on the machine ends, and the system clears its shared memory.
    [Fact]
    public async Task Silent_FolderIsGone_TheSiloGoesOn()
    {
        await using var silo = Silo();
        using var loop = Loop(silo);
        var (bytes, content) = Content();
        Assert.Equal(ArrayAnswer.Wanted, await silo.OfferAsync(loop, new ArrayOffer("a", content)));
        Directory.Delete(StoreFolder.PathBelow(_folder.Root), recursive: true);
        _time.Advance(SiloArrays.Silence);
        _time.Advance(SiloArrays.Silence);
        Assert.False(silo.Put(new ArrayChunk(content, 0, bytes)));
        Assert.Equal(ArrayAnswer.Wanted, await silo.OfferAsync(loop, new ArrayOffer("a", content)));
        Assert.False(silo.Put(new ArrayChunk(content, 0, bytes)));
        Assert.Equal(ArrayAnswer.Here, await silo.OfferAsync(loop, new ArrayOffer("a", content)));
    }

    [Fact]
    public async Task Room_IsMadeByWhatNoBatchInHandNeeds_TheLongestUnusedFirst()
    {
        await using var silo = Silo(maxBytes: 64 * Piece);
        using var loop = Loop(silo);
        var busy = await UseAsync(silo, loop, 0);
        for (var i = 1; i < 100; i++)
        {
            (await UseAsync(silo, loop, i)).Dispose();
        }

        Assert.Null(loop.TryUse(["1"]));
        using (var last = loop.TryUse(["99", "98"]))
        {
            Assert.Equal(Content(99, 4).Bytes, await File.ReadAllBytesAsync(last!.Files!["99"], TestContext.Current.CancellationToken));
        }

        // One that is used again and again stays.
        Assert.Equal(Content(0, 4).Bytes, await File.ReadAllBytesAsync(busy.Files!["0"], TestContext.Current.CancellationToken));
        using (loop.TryUse(["0"]))
        {
            busy.Dispose();
        }
    }

    [Fact]
    public async Task Room_ThatBatchesInHandOrOnTheirWayNeed_IsNotMade()
    {
        await using var silo = Silo(maxBytes: 64 * Piece);
        using var loop = Loop(silo);
        using var busy = await UseAsync(silo, loop, 0, pieces: 30);
        await BringAsync(silo, loop, 1, pieces: 30);
        var thrown = await Assert.ThrowsAsync<JoblibException>(() => silo.OfferAsync(loop, new ArrayOffer("2", Content(2, 30).Content)));
        Assert.EndsWith("#array-store-full", thrown.HelpLink, StringComparison.Ordinal);

        // The batch that it was brought for has come and ended.
        loop.TryUse(["0", "1"])!.Dispose();
        await BringAsync(silo, loop, 2, pieces: 30);
        Assert.Null(loop.TryUse(["0", "1"]));
        using var both = loop.TryUse(["0", "2"]);
        Assert.NotNull(both);
    }

    private static async Task<ArrayUse> UseAsync(SiloArrays silo, SiloRunArrays loop, int number, int pieces = 4)
    {
        await BringAsync(silo, loop, number, pieces);
        return loop.TryUse([$"{number}"])!;
    }

    private static async Task BringAsync(SiloArrays silo, SiloRunArrays loop, int number, int pieces)
    {
        var (bytes, content) = Content(number, pieces);
        var offer = new ArrayOffer($"{number}", content);
        Assert.Equal(ArrayAnswer.Wanted, await silo.OfferAsync(loop, offer));
        Assert.False(silo.Put(new ArrayChunk(content, 0, bytes)));
        Assert.Equal(ArrayAnswer.Here, await silo.OfferAsync(loop, offer));
    }

    private static (byte[] Bytes, ArrayContent Content) Content(int seed = 1, int pieces = 1)
    {
        var bytes = new byte[pieces * Piece];
        new Random(seed).NextBytes(bytes);
        var hashes = Enumerable.Range(0, pieces).Select(index => ArrayHash.OfPiece(bytes.AsSpan(index * Piece, Piece), 7)).ToArray();
        return (bytes, ContentHash.Of(hashes, 7, bytes.Length));
    }

    private static SiloRunArrays Loop(SiloArrays silo)
    {
        var client = Guid.NewGuid();
        silo.Open(client, [], "elsewhere");
        return silo.NewRun(new ArraySession(Guid.NewGuid(), client, 1, (byte)MmapMode.ReadOnly, TakesBlobs: true))!;
    }

    // Asks until something is said; the silo's clock goes on meanwhile.
    private async Task<ArrayAnswer> AskAsync(SiloArrays silo, SiloRunArrays loop, ArrayOffer offer)
    {
        while (true)
        {
            var asked = silo.OfferAsync(loop, offer);
            Patience.Until(() => Advanced() && asked.IsCompleted, "an answer");
            if (await asked is not ArrayAnswer.OnItsWay and var answer)
            {
                return answer;
            }
        }
    }

    private async Task OnItsWayAsync(SiloArrays silo, SiloRunArrays loop, ArrayOffer offer)
    {
        var asked = silo.OfferAsync(loop, offer);
        Patience.Until(() => Advanced() && asked.IsCompleted, "an answer");
        Assert.Equal(ArrayAnswer.OnItsWay, await asked);
    }

    private bool Advanced()
    {
        _time.Advance(TimeSpan.FromMilliseconds(20));
        return true;
    }

    // Another silo of the host is bringing it: fetches wait.
    private IncomingSegment Others(ArrayContent content) => new ArrayStore([_folder.Root]).TryReceive(content).Incoming!;

    private async Task StoreAsync(string name, byte[] bytes)
    {
        var container = BlobStorage.Parse(server.Azurite.Setting(_container)).Container;
        await container.CreateIfNotExistsAsync();
        await container.GetBlobClient(name).UploadAsync(new BinaryData(bytes));
    }

    private SiloArrays Silo(long? maxBytes = null) => new(
        Options.Create(new SiloArrayOptions { Folder = _folder.Root, MaxBytes = maxBytes, Blobs = server.Azurite.Setting(_container) }), _time, NullLogger<SiloArrays>.Instance);
}
