using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

public sealed class CodeUploadsTests : IDisposable
{
    private readonly SiloCode _silo = new();

    public void Dispose() => _silo.Dispose();

    [Fact]
    public void Put_PartsInAnyOrderAndTwice_MakeThePiece()
    {
        var bytes = CodeStoreTests.Bytes(1, (5 * CodeChunk.MostBytes) + 3);
        var hash = CodeHash.Of(bytes);
        CodeChunk[] chunks = [.. SiloCode.Chunks(bytes, hash)];
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        CodeChunk[] sent = [.. chunks, .. chunks];
        new Random(seed).Shuffle(sent);
        System.Threading.Tasks.Parallel.ForEach(sent, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _silo.Uploads.Put);
        using var blob = _silo.Store.TryPin(hash, bytes.Length);
        Assert.Equal(bytes, blob!.Read());
        Assert.Equal(0, _silo.Uploads.Count);
    }

    [Fact]
    public void Put_EmptyPiece_IsKept()
    {
        var hash = _silo.Put([]);
        using var blob = _silo.Store.TryPin(hash, 0);
        Assert.NotNull(blob);
    }

    [Fact]
    public void Put_BytesOfAnotherHash_AreRefusedAndNotKept()
    {
        var error = Assert.Throws<JoblibException>(() => _silo.Put(CodeStoreTests.Bytes(1, 3000), CodeHash.Of([42])));
        Assert.Contains(CodeHash.Of([42]).ToString(), error.Message);
        Assert.Empty(_silo.Blobs);
        Assert.Empty(_silo.Temp);
        Assert.Equal(0, _silo.Uploads.Count);
    }

    [Theory]
    [InlineData(3000, 0, 2999)]
    [InlineData(3000, 0, 3001)]
    [InlineData(3000, 5, 2995)]
    [InlineData(3000, CodeChunk.MostBytes, 1)]
    [InlineData(-1, 0, 0)]
    [InlineData(long.MaxValue, 0, CodeChunk.MostBytes)]
    [InlineData(3000, -CodeChunk.MostBytes, 3000)]
    public void Put_PartThatIsNotOneOfThePiece_IsRefused(long length, long offset, int bytes)
    {
        Assert.Throws<JoblibException>(() => _silo.Uploads.Put(new CodeChunk(CodeHash.Of([1]), length, offset, new byte[bytes])));
        Assert.Equal(0, _silo.Uploads.Count);
    }

    [Fact]
    public void Claim_PieceThatAnotherClientIsSending_IsNotAskedForAgain()
    {
        var items = Items(3);
        Assert.Equal(items[..2].Select(item => item.Hash), _silo.Uploads.Claim(items[..2]));
        Assert.Equal([items[2].Hash], _silo.Uploads.Claim(items));
    }

    [Fact]
    public void Claim_PieceThatArrivedMeanwhile_IsNotAskedForAgain()
    {
        var hash = _silo.Put(CodeStoreTests.Bytes(1, 100));
        Assert.Empty(_silo.Uploads.Claim([Items(1)[0] with { Hash = hash, Length = 100 }]));
    }

    [Fact]
    public void Claim_ClientFellSilentMidway_ThePieceIsAskedOfTheNext()
    {
        var bytes = CodeStoreTests.Bytes(1, 2 * CodeChunk.MostBytes);
        var hash = CodeHash.Of(bytes);
        CodeItem[] items = [Items(1)[0] with { Hash = hash, Length = bytes.Length }];
        _silo.Uploads.Claim(items);
        _silo.Uploads.Put(SiloCode.Chunks(bytes, hash).First());
        Assert.Single(_silo.Temp);
        Assert.Empty(_silo.Uploads.Claim(items));
        _silo.Time.Advance(CodeUploads.Silence);
        Assert.Empty(_silo.Temp);
        Assert.Equal([hash], _silo.Uploads.Claim(items));
        _silo.Put(bytes);
        Assert.Equal([hash.ToString()], _silo.Blobs);
    }

    [Fact]
    public async Task WaitAsync_PieceArrives_Returns()
    {
        var bytes = CodeStoreTests.Bytes(1, 100);
        CodeItem[] items = [Items(1)[0] with { Hash = CodeHash.Of(bytes), Length = bytes.Length }];
        _silo.Uploads.Claim(items);
        var waiting = _silo.Uploads.WaitAsync(items);
        Assert.False(waiting.IsCompleted);
        _silo.Put(bytes);
        await waiting.WaitAsync(Patience.Limit);
    }

    [Fact]
    public void Dispose_UploadUnderWay_LeavesNothing()
    {
        _silo.Uploads.Put(SiloCode.Chunks(CodeStoreTests.Bytes(1, 2 * CodeChunk.MostBytes), CodeHash.Of([7])).First());
        _silo.Uploads.Dispose();
        Assert.Empty(_silo.Temp);
    }

    private static CodeItem[] Items(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new CodeItem(CodeItemKind.NativeLibrary, $"{i}.so", "", "", Guid.Empty, CodeHash.Of([(byte)i]), 1, "", "")),
    ];
}
