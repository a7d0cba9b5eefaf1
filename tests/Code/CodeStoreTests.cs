using System.Diagnostics;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

public sealed class CodeStoreTests
{
    private const int Mebibyte = 1 << 20;

    [Fact]
    public void Pin_WhatWasPut_GivesItsBytes()
    {
        using var silo = new SiloCode();
        var bytes = Bytes(1, (3 * Mebibyte) + 17);
        var hash = silo.Put(bytes);
        using var blob = silo.Store.TryPin(hash, bytes.Length);
        Assert.Equal(bytes, blob!.Read());
        Assert.Empty(silo.Temp);
    }

    [Fact]
    public void Pin_AbsentPiece_IsNull()
    {
        using var silo = new SiloCode();
        Assert.Null(silo.Store.TryPin(CodeHash.Of([1]), 1));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void Pin_FileThatIsNotWhatItsNameSays_DeletesIt(int longer)
    {
        using var silo = new SiloCode();
        var bytes = Bytes(2, 1000);
        var hash = silo.Put(bytes);
        var other = bytes.AsSpan(0, Math.Min(1000, 1000 + longer)).ToArray().Concat(new byte[Math.Max(0, longer)]).ToArray();
        other[500] ^= 1;
        File.WriteAllBytes(silo.BlobPath(hash), other);
        Assert.Null(silo.Store.TryPin(hash, 1000));
        Assert.Empty(silo.Blobs);
    }

    [Fact]
    public void Read_FileThatChangedInUse_IsAnErrorAndDeleted()
    {
        using var silo = new SiloCode();
        var hash = silo.Put(Bytes(3, 1000));
        using var blob = silo.Store.TryPin(hash, 1000)!;
        Overwrite(silo.BlobPath(hash), 10, 0xFF);
        var error = Assert.Throws<JoblibException>(blob.Read);
        Assert.Contains(hash.ToString(), error.Message);
        Assert.Empty(silo.Blobs);
    }

    [Fact]
    public void Begin_NoRoomLeft_EvictsWhatWasUsedLongestAgo()
    {
        using var silo = new SiloCode(maxBytes: 16 * Mebibyte);
        CodeHash[] hashes = [.. Enumerable.Range(0, 4).Select(i => silo.Put(Bytes(i, 4 * Mebibyte)))];
        for (var i = 0; i < hashes.Length; i++)
        {
            File.SetLastWriteTimeUtc(silo.BlobPath(hashes[i]), DateTime.UtcNow.AddHours(i - 10));
        }

        // Taken into use once more: it is the latest now.
        silo.Store.TryPin(hashes[0], 4 * Mebibyte)!.Dispose();
        var added = silo.Put(Bytes(9, 5 * Mebibyte));
        Assert.Equal(new[] { hashes[0], hashes[3], added }.Select(hash => hash.ToString()).Order(), silo.Blobs.Order());
    }

    [Fact]
    public void Begin_EverythingIsInUse_RefusesAndKeepsIt()
    {
        using var silo = new SiloCode(maxBytes: 16 * Mebibyte);
        var hash = silo.Put(Bytes(1, 10 * Mebibyte));
        using var blob = silo.Store.TryPin(hash, 10 * Mebibyte)!;
        var error = Assert.Throws<JoblibException>(() => silo.Put(Bytes(2, 10 * Mebibyte)));
        Assert.Contains("MaxBytes", error.Message);
        Assert.Contains(silo.Root, error.Message);
        Assert.Equal([hash.ToString()], silo.Blobs);
    }

    [Fact]
    public void Begin_PieceInUseByAnotherStoreOfTheDirectory_IsNotEvicted()
    {
        using var one = new SiloCode(maxBytes: 16 * Mebibyte);
        using var other = new SiloCode(one.Root, maxBytes: 16 * Mebibyte);
        var used = one.Put(Bytes(1, 6 * Mebibyte));
        var idle = one.Put(Bytes(2, 6 * Mebibyte));
        File.SetLastWriteTimeUtc(one.BlobPath(used), DateTime.UtcNow.AddHours(-1));
        using var blob = one.Store.TryPin(used, 6 * Mebibyte)!;
        File.SetLastWriteTimeUtc(one.BlobPath(used), DateTime.UtcNow.AddHours(-1));
        other.Put(Bytes(3, 6 * Mebibyte));
        Assert.Contains(used.ToString(), one.Blobs);
        Assert.DoesNotContain(idle.ToString(), one.Blobs);
    }

    [Fact]
    public void Open_LeftoversOfADeadSilo_AreSweptAndThoseOfALivingOneNot()
    {
        using var living = new SiloCode();
        using var draft = living.Store.Begin(1000);
        var (nativeDirectory, held) = living.Store.NewNativeDirectory();
        var dead = Path.Combine(living.Root, "temp", "left");
        File.WriteAllText(dead, "half a piece");
        var deadDirectory = Directory.CreateDirectory(Path.Combine(living.Root, "native", "left")).FullName;
        File.WriteAllText(deadDirectory + ".lock", "");
        using var next = new SiloCode(living.Root);
        Assert.Null(next.Store.TryPin(CodeHash.Of([1]), 1));
        Assert.False(File.Exists(dead));
        Assert.False(Directory.Exists(deadDirectory));
        Assert.True(File.Exists(draft.Path));
        Assert.True(Directory.Exists(nativeDirectory));
        CodeStore.DeleteNativeDirectory(nativeDirectory, held);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(living.Root, "native")));
    }

    [Fact]
    public async Task Open_WhileAnotherStoreMakesFiles_SweepsNoneOfThem()
    {
        using var silo = new SiloCode();
        silo.Store.Open();
        using var enough = new CancellationTokenSource();
        var opening = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                using var other = new SiloCode(silo.Root);
                other.Store.Open();
            }
        });
        try
        {
            for (var i = 0; i < 2000; i++)
            {
                using (var draft = silo.Store.Begin(1000))
                {
                    Assert.True(File.Exists(draft.Path));
                }

                var (directory, held) = silo.Store.NewNativeDirectory();
                Assert.True(Directory.Exists(directory));
                CodeStore.DeleteNativeDirectory(directory, held);
            }
        }
        finally
        {
            enough.Cancel();
            await opening;
        }

        Assert.Empty(silo.Temp);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(silo.Root, "native")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("temp")]
    [InlineData("blobs")]
    [InlineData("native")]
    public void Put_DirectoryCleanedUpMeanwhile_IsMadeAgain(string directory)
    {
        using var silo = new SiloCode();
        silo.Put(Bytes(1, 1000));
        Directory.Delete(Path.Combine(silo.Root, directory), recursive: true);
        var bytes = Bytes(2, 1000);
        using var blob = silo.Store.TryPin(silo.Put(bytes), bytes.Length);
        Assert.Equal(bytes, blob!.Read());
        var (native, held) = silo.Store.NewNativeDirectory();
        Assert.True(Directory.Exists(native));
        CodeStore.DeleteNativeDirectory(native, held);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Open_MakesTheDirectoryForItsOwnerOnly()
    {
        using var silo = new SiloCode();
        Directory.CreateDirectory(silo.Root);
        File.SetUnixFileMode(silo.Root, (UnixFileMode)0b111_111_111);
        silo.Put([1]);
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(silo.Root));
    }

    [Fact]
    public void Open_DirectoryThatCannotBeUsed_NamesItAndTheRemedy()
    {
        var file = Path.GetTempFileName();
        using var silo = new SiloCode(Path.Combine(file, "code"));
        var error = Assert.Throws<JoblibException>(() => silo.Store.TryPin(CodeHash.Of([1]), 1));
        Assert.Contains(silo.Root, error.Message);
        Assert.Contains("CodeCacheOptions.Directory", error.Message);
        File.Delete(file);
    }

    [Fact]
    public void Put_FullDisk_NamesTheDirectoryAndLeavesNothing()
    {
        using var disk = SmallDisk.TryMount(8 * Mebibyte);
        Assert.SkipWhen(disk is null, "Mounting a small file system needs root on Linux.");
        using var silo = new SiloCode(Path.Combine(disk.Directory, "code"));
        var error = Assert.Throws<JoblibException>(() => silo.Put(Bytes(1, 20 * Mebibyte)));
        Assert.Contains($"disk of the code cache '{silo.Root}'", error.Message);
        Assert.Contains("is full", error.Message);
        Assert.Contains("CodeCacheOptions.Directory", error.Message);
        Assert.Empty(silo.Temp);

        // What fits is taken all the same.
        var bytes = Bytes(2, 3 * Mebibyte);
        Assert.Equal(CodeHash.Of(bytes), silo.Put(bytes));
    }

    [Fact]
    public void Put_FullDiskWithIdlePieces_EvictsThem()
    {
        using var disk = SmallDisk.TryMount(8 * Mebibyte);
        Assert.SkipWhen(disk is null, "Mounting a small file system needs root on Linux.");
        using var silo = new SiloCode(Path.Combine(disk.Directory, "code"));
        silo.Put(Bytes(1, 5 * Mebibyte));
        var added = silo.Put(Bytes(2, 5 * Mebibyte));
        Assert.Equal([added.ToString()], silo.Blobs);
    }

    [Fact]
    public void Stores_OnOneDirectory_NeverGiveOutWrongBytesAndEndWithinTheBound()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var first = new SiloCode(maxBytes: 16 * Mebibyte);
        using var second = new SiloCode(first.Root, maxBytes: 16 * Mebibyte);
        using var third = new SiloCode(first.Root, maxBytes: 16 * Mebibyte);
        SiloCode[] silos = [first, second, third];
        byte[][] pieces = [.. Enumerable.Range(0, 12).Select(i => Bytes(i, (2 * Mebibyte) + i))];
        System.Threading.Tasks.Parallel.For(0, 6, new ParallelOptions { MaxDegreeOfParallelism = 6 }, worker =>
        {
            var random = new Random(seed + worker);
            for (var i = 0; i < 40; i++)
            {
                var silo = silos[random.Next(silos.Length)];
                var bytes = pieces[random.Next(pieces.Length)];
                var hash = CodeHash.Of(bytes);
                if (silo.Store.TryPin(hash, bytes.Length) is { } blob)
                {
                    Assert.Equal(hash, CodeHash.Of(blob.Read()));
                    blob.Dispose();
                }
                else
                {
                    silo.Put(bytes);
                }
            }
        });
        Assert.Empty(first.Temp);
        Assert.All(first.Blobs, name => Assert.Equal(name, CodeHash.Of(File.ReadAllBytes(Path.Combine(first.Root, "blobs", name))).ToString()));
        first.Store.Begin(0).Dispose();
        Assert.InRange(first.Blobs.Sum(name => new FileInfo(Path.Combine(first.Root, "blobs", name)).Length), 1, 16 * Mebibyte);
    }

    internal static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal static void Overwrite(string path, long offset, byte value)
    {
        // dd ignores the advisory locks that .NET's own streams would respect, as a failing disk does.
        using var dd = Process.Start(new ProcessStartInfo("sh", ["-c", $"printf '\\{Convert.ToString(value, 8)}' | dd of='{path}' bs=1 seek={offset} conv=notrunc status=none"]))!;
        Assert.True(dd.WaitForExit(Patience.Limit));
        Assert.Equal(0, dd.ExitCode);
    }
}
