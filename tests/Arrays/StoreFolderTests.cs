using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Folders of segments in trouble: without locks, without room, with what a crash has left.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class StoreFolderTests : IDisposable
{
    private const int NoLocks = 37;

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public StoreFolderTests() => Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");

    public void Dispose() => _folder.Dispose();

    // NFS without its lock daemon, Lustre without -o flock: to try again would never end.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FileSystemWithoutLocks_CannotBeUsed(bool isKnown)
    {
        if (isKnown)
        {
            StoreFolder.Open(_folder.Root);
        }

        FileLocks.Refusal = NoLocks;
        try
        {
            foreach (var open in (Action[])[() => StoreFolder.Open(_folder.Root), () => new ArrayStore([_folder.Root]).Dispose(), () => StoreToken.Write(_folder.Root)])
            {
                var refusal = Assert.Throws<JoblibException>(open);
                Assert.Equal("docs/errors.md#array-folder", refusal.HelpLink);
                Assert.Contains("refuses locks (No locks available)", refusal.Message, StringComparison.Ordinal);
            }

            Assert.Throws<IOException>(() => SegmentFile.Create(_folder["new"]));
            Assert.Equal(isKnown ? ["seed"] : [], Files());
        }
        finally
        {
            FileLocks.Refusal = 0;
        }
    }

    [Fact]
    public void SegmentThatCannotBeOpened_IsAnErrorByName()
    {
        using var store = new ArrayStore([_folder.Root]);
        using var lease = store.Put(ArrayView.TryOf(new long[100])!.Value);
        FileLocks.Refusal = NoLocks;
        try
        {
            var refusal = Assert.Throws<JoblibException>(() => ArrayStore.TryOpen(lease.Segment.Path));
            Assert.Equal("docs/errors.md#unreadable-array", refusal.HelpLink);
            Assert.Contains(lease.Segment.Path, refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            FileLocks.Refusal = 0;
        }
    }

    [Fact]
    public void Seed_CutOffByACrash_IsMadeAnew()
    {
        StoreFolder.Open(_folder.Root);
        var seed = Directory.GetFiles(StoreFolder.PathBelow(_folder.Root)).Single();
        File.WriteAllBytes(seed, [1, 2, 3]);
        Assert.Null(StoreFolder.TrySeedOf(Path.Combine(Path.GetDirectoryName(seed)!, SegmentName.New().ToString())));
        var made = StoreFolder.Open(_folder.Root).Seed;
        Assert.Equal(BitConverter.GetBytes(made), File.ReadAllBytes(seed));
        Assert.Equal(made, StoreFolder.Open(_folder.Root).Seed);
    }

    [Fact]
    public void Seed_ThatACrashLeftUnderWay_IsSwept()
    {
        StoreFolder.Open(_folder.Root);
        File.WriteAllText(Path.Combine(StoreFolder.PathBelow(_folder.Root), $"seed-{Guid.NewGuid():n}"), "");
        new ArrayStore([_folder.Root]).Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void FullDisk_LeavesNothing_AndSaysSo()
    {
        using var disk = Code.SmallDisk.TryMount(1 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        Directory.CreateDirectory(StoreFolder.PathBelow(disk.Directory), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Fill(disk);
        Assert.Equal("docs/errors.md#array-folder", Assert.Throws<JoblibException>(() => StoreFolder.Open(disk.Directory)).HelpLink);
        Assert.Empty(Directory.GetFileSystemEntries(StoreFolder.PathBelow(disk.Directory)));
    }

    // A client asks silos what they share with it by a token in each of its folders. One that it cannot write is its own trouble, not a silo's.
    [Fact]
    public void Token_OnAFullDisk_LeavesNothing_AndSaysSo()
    {
        using var disk = Code.SmallDisk.TryMount(1 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        StoreFolder.Open(disk.Directory);
        Fill(disk);
        Assert.Equal("docs/errors.md#array-folder", Assert.Throws<JoblibException>(() => StoreToken.Write(disk.Directory)).HelpLink);
        Assert.Equal("seed", Path.GetFileName(Directory.GetFileSystemEntries(StoreFolder.PathBelow(disk.Directory)).Single()));
    }

    private static void Fill(Code.SmallDisk disk)
    {
        using var filler = new FileStream(Path.Combine(disk.Directory, "filler"), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
        Assert.Throws<IOException>(() => Enumerable.Range(0, 300).ToList().ForEach(_ => filler.Write(new byte[4096])));
    }

    private string[] Files() => [.. Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories).Select(Path.GetFileName).OfType<string>()];
}
