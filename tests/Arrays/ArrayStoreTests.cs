using System.Runtime.InteropServices;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ArrayStoreTests : IDisposable
{
    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public ArrayStoreTests() => Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Put_SameContent_IsOneSegment()
    {
        using var store = Store();
        foreach (var length in (int[])[1000, 200_000, 3_000_000])
        {
            var written = store.WrittenSegments;
            using var first = store.Put(Numbers(length, 1));
            using var second = store.Put(Numbers(length, 1));
            using var other = store.Put(Numbers(length, 2));
            using var shape = store.Put(ArrayView.TryOf(MemoryMarshal.Cast<long, double>((long[])Numbers(length, 1).Holder).ToArray())!.Value);

            Assert.Equal(first.Segment.Path, second.Segment.Path);
            Assert.NotEqual(first.Segment.Path, other.Segment.Path);
            Assert.NotEqual(first.Segment.Path, shape.Segment.Path);
            Assert.Equal(written + 3, store.WrittenSegments);
            AssertHas(first, Numbers(length, 1));
        }
    }

    [Fact]
    public void Put_ArrayThatDiffersAtOnePlace_IsAnotherOne()
    {
        using var store = Store();
        var array = new byte[5 << 20];
        var paths = new HashSet<string>();
        foreach (var place in (int[])[-1, 0, 1, (256 << 10) - 1, 256 << 10, 1 << 20, (5 << 20) - 1])
        {
            if (place >= 0)
            {
                array[place] ^= 1;
            }

            using var lease = store.Put(ArrayView.TryOf(array)!.Value);
            Assert.True(paths.Add(lease.Segment.Path));
            Assert.Equal(array, Joblib.Load<byte[]>(lease.Segment.Path));
        }
    }

    [Fact]
    public void Put_ByManyThreads_IsWrittenOnce()
    {
        using var store = Store();
        var paths = new string[8];
        var threads = Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            using var lease = store.Put(Numbers(1_000_000, 3));
            paths[i] = lease.Segment.Path;
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => Assert.True(thread.Join(Patience.Limit)));

        Assert.Single(paths.Distinct());
        Assert.Equal(1, store.WrittenSegments);
    }

    [Fact]
    public void Files_AreTheUsersAlone()
    {
        using var store = Store();
        using var lease = store.Put(Numbers(10, 1));
        var folder = Path.GetDirectoryName(lease.Segment.Path)!;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.All(Directory.GetFiles(folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void Open_FolderThatOthersSeeOrIsALink_IsRefused()
    {
        var path = Path.Combine(_folder.Root, $"orleans-joblib-{FileLocks.UserId()}");
        Directory.CreateDirectory(path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        Assert.Equal("docs/errors.md#array-folder", Assert.Throws<JoblibException>(() => Store()).HelpLink);
        Directory.Delete(path);
        Directory.CreateDirectory(_folder["elsewhere"], (UnixFileMode)0b111_000_000);
        Directory.CreateSymbolicLink(path, _folder["elsewhere"]);
        Assert.Throws<JoblibException>(() => Store());
        File.Delete(path);
        File.WriteAllText(path, "");
        Assert.Throws<JoblibException>(() => Store());
        Assert.Throws<JoblibException>(() => new ArrayStore(new ArrayStoreOptions { TempFolder = "/proc/none" }));
    }

    [Fact]
    public void Released_LastUser_MakesItIdleAndDisposeLeavesNothing()
    {
        var store = Store();
        var lease = store.Put(Numbers(1000, 1));
        var second = store.Put(Numbers(1000, 1));
        lease.Dispose();
        Assert.Equal(0, store.IdleBytes);
        second.Dispose();
        second.Dispose();
        Assert.InRange(store.IdleBytes, 8000, 20_000);
        using (store.Put(Numbers(1000, 1)))
        {
            Assert.Equal(1, store.WrittenSegments);
        }

        store.Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
        Assert.Throws<ObjectDisposedException>(() => store.Put(Numbers(1, 1)));
    }

    [Fact]
    public void Idle_OfAboutTheSize_IsOverwritten()
    {
        using var store = Store();
        foreach (var (length, seed) in ((int, int)[])[(1_000_000, 1), (1_000_000, 2), (900_000, 3), (1_100_000, 4)])
        {
            using var lease = store.Put(Numbers(length, seed));
            AssertHas(lease, Numbers(length, seed));
        }

        Assert.Equal(3, store.RecycledSegments);
        Assert.Single(Segments());
    }

    [Fact]
    public void Idle_StillMapped_IsNotOverwritten()
    {
        using var store = Store();
        var lease = store.Put(Numbers(1_000_000, 1));
        var mapped = ArrayFiles.MapSegment(lease.Segment.Path, MmapMode.ReadOnly);
        lease.Dispose();
        using var other = store.Put(Numbers(1_000_000, 2));

        Assert.Equal(0, store.RecycledSegments);
        Assert.Equal(((long[])Numbers(1_000_000, 1).Holder)[^1], MemoryMarshal.Read<long>(Bytes(mapped)));
        GC.KeepAlive(mapped);

        static unsafe ReadOnlySpan<byte> Bytes(MappedFile mapped) => new(mapped.Start + mapped.Length - 8, 8);
    }

    [Fact]
    public void MaxIdleBytes_IsKept()
    {
        using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root, MaxIdleBytes = 3 << 20 });
        for (var i = 0; i < 10; i++)
        {
            store.Put(Numbers(100_000, i)).Dispose();
            store.Put(Numbers(20_000 + (50_000 * i), i)).Dispose();
        }

        Assert.InRange(store.IdleBytes, 0, 3 << 20);

        // A process that another test starts this moment has the files' locks, too, until it executes its program: what was kept for it goes with the next sweep.
        Patience.Until(
            () =>
            {
                store.Sweep();
                return Segments().Sum(file => new FileInfo(file).Length) <= 3 << 20;
            },
            "the idle segments over the bound to go");
    }

    [Fact]
    public void MaxBytes_EvictsWhatNobodyUses_AndRefusesTheRest()
    {
        using var first = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root, MaxBytes = 10 << 20, MaxIdleBytes = 10 << 20 });
        using var second = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root, MaxBytes = 10 << 20 });
        first.Put(Numbers(1 << 20, 1)).Dispose();

        // What the first keeps without using it goes for the second.
        using var lease = second.Put(Numbers(1 << 20, 2));
        Assert.Single(Segments());
        var refusal = Assert.Throws<JoblibException>(() => second.Put(Numbers(1 << 20, 3)));
        Assert.Equal("docs/errors.md#array-store-full", refusal.HelpLink);
        Assert.Single(Segments());

        // The first notices that what it kept is gone.
        lease.Dispose();
        using var again = first.Put(Numbers(1 << 20, 1));
        AssertHas(again, Numbers(1 << 20, 1));
    }

    [Fact]
    public void FullSharedMemory_GoesToDisk_OrSaysSo()
    {
        using var disk = Code.SmallDisk.TryMount(8 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        using (var store = new ArrayStore(new ArrayStoreOptions { TempFolder = disk.Directory, MaxBytes = long.MaxValue / 2 }))
        {
            using var small = store.Put(Numbers(1 << 18, 1));
            var refusal = Assert.Throws<JoblibException>(() => store.Put(Numbers(2 << 20, 2)));
            Assert.Contains(disk.Directory, refusal.Message, StringComparison.Ordinal);
            using var kept = store.Put(Numbers(1 << 18, 3));
            kept.Dispose();

            // Idle segments make room.
            using var large = store.Put(Numbers((5 << 20) / 8, 4));
            AssertHas(small, Numbers(1 << 18, 1));
            AssertHas(large, Numbers((5 << 20) / 8, 4));
        }

        // Small file systems are passed over at once.
        Assert.Equal([Path.GetFullPath(Path.GetTempPath())], new ArrayStoreOptions { SharedMemory = disk.Directory }.Parents());
    }

    [Fact]
    public void FullFirstFolder_UsesTheSecond()
    {
        using var disk = Code.SmallDisk.TryMount(8 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        using var store = new ArrayStore([disk.Directory, _folder.Root]);
        using var first = store.Put(Numbers(1 << 18, 1));
        using var second = store.Put(Numbers(2 << 20, 2));
        using var third = store.Put(Numbers(1 << 18, 3));
        using var again = store.Put(Numbers(2 << 20, 2));

        Assert.StartsWith(disk.Directory, first.Segment.Path, StringComparison.Ordinal);
        Assert.StartsWith(_folder.Root, second.Segment.Path, StringComparison.Ordinal);
        Assert.StartsWith(disk.Directory, third.Segment.Path, StringComparison.Ordinal);
        Assert.Equal(second.Segment.Path, again.Segment.Path);
        AssertHas(second, Numbers(2 << 20, 2));
    }

    // What the first keeps is the second's room: deleted alone it would still be taken, for as long as the first has it open.
    [Fact]
    public void Evicted_WhatAnotherKeeps_ItsRoomIsFreeAtOnce()
    {
        using var disk = Code.SmallDisk.TryMount(16 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        using var first = new ArrayStore(new ArrayStoreOptions { TempFolder = disk.Directory, MaxBytes = 15 << 20, MaxIdleBytes = 15 << 20, IdleLifetime = TimeSpan.FromHours(1) });
        using var second = new ArrayStore(new ArrayStoreOptions { TempFolder = disk.Directory, MaxBytes = 15 << 20 });
        first.Put(Numbers(5 << 18, 1)).Dispose();
        Assert.InRange(first.IdleBytes, 10 << 20, 11 << 20);
        using (var lease = second.Put(Numbers(5 << 18, 2)))
        {
            AssertHas(lease, Numbers(5 << 18, 2));
        }

        // Nor does the first hand out what it has left of it.
        using var again = first.Put(Numbers(5 << 18, 1));
        AssertHas(again, Numbers(5 << 18, 1));
    }

    [Fact]
    public void FirstFolderThatFails_UsesTheSecond()
    {
        using var other = new TempFolder();
        using var store = new ArrayStore([_folder.Root, other.Root]);
        var first = store.Folders[0];
        Directory.Delete(first, recursive: true);
        File.WriteAllText(first, "a file where the folder was");
        using var lease = store.Put(Numbers(1000, 1));
        using var incoming = store.TryReceive(new ArrayContent(1, 2, 3, 1000)).Incoming;
        Assert.StartsWith(other.Root, lease.Segment.Path, StringComparison.Ordinal);
        Assert.NotNull(incoming);
    }

    [Fact]
    public void Parents_AreJoblibsOrder()
    {
        Assert.Equal(["/x/y"], new ArrayStoreOptions { TempFolder = "/x/y" }.Parents());
        Assert.EndsWith("/y", new ArrayStoreOptions { TempFolder = "~/y" }.Parents()[0], StringComparison.Ordinal);
        Assert.DoesNotContain('~', new ArrayStoreOptions { TempFolder = "~/y" }.Parents()[0]);
        Assert.Equal([Path.GetFullPath(Path.GetTempPath())], new ArrayStoreOptions { SharedMemory = "/none" }.Parents());
    }

    [Fact]
    public void Thousands_AreWrittenFoundAndGone()
    {
        var store = Store();
        var arrays = Enumerable.Range(0, 3000).Select(i => Numbers(200, i)).ToList();
        var leases = arrays.Select(store.Put).ToList();
        Assert.Equal(3000, leases.Select(lease => lease.Segment.Path).Distinct().Count());
        Assert.Equal(3000, store.WrittenSegments);
        using (var other = Store())
        {
            foreach (var array in arrays)
            {
                other.Put(array).Dispose();
            }

            Assert.Equal(0, other.WrittenSegments);
        }

        Assert.Equal(3000, Segments().Length);
        leases.ForEach(lease => lease.Dispose());
        store.Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public async Task Killed_ItsArrays_AreSwept()
    {
        using var killed = ChildProcess.Start("ArrayHolderProgram", [_folder.Root]);
        await killed.LineAsync("array-holder ready");
        killed.Say("put 10000000 1");
        var kept = (await killed.LineAsync("put 1 "))[6..];
        using var store = Store();
        Assert.Equal(0, store.Sweep());
        Assert.True(File.Exists(kept));

        await killed.KillAsync();
        Assert.Equal(1, store.Sweep());
        Assert.False(File.Exists(kept));
    }

    [Fact]
    public async Task Killed_WhileItWrites_LeavesNothingAfterASweep()
    {
        for (var round = 0; round < 5; round++)
        {
            using var killed = ChildProcess.Start("ArrayHolderProgram", [_folder.Root]);
            await killed.LineAsync("array-holder ready");
            killed.Say($"put 400000000 {round}");
            Patience.Until(() => Directory.EnumerateFiles(_folder.Root, "w-*", SearchOption.AllDirectories).Any(), "a file under way");
            await killed.KillAsync();
        }

        using (Store())
        {
        }

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public async Task Killed_ArrayThatAnotherUses_StaysUntilItIsDone()
    {
        using var writer = ChildProcess.Start("ArrayHolderProgram", [_folder.Root]);
        using var reader = ChildProcess.Start("ArrayHolderProgram", [_folder.Root]);
        await writer.LineAsync("array-holder ready");
        await reader.LineAsync("array-holder ready");
        writer.Say("put 10000000 1");
        var path = (await writer.LineAsync("put 1 "))[6..];
        reader.Say($"use {path}");
        await reader.LineAsync("use ");
        await writer.KillAsync();

        using (var store = Store())
        {
            Assert.Equal(0, store.Sweep());
            Assert.True(File.Exists(path));
        }

        reader.Say("end");
        Assert.Equal(0, await reader.ExitAsync());
        using (Store())
        {
        }

        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public async Task Processes_SameArrayAtOnce_IsWrittenOnce()
    {
        using var folderAlive = Store();
        var holders = Enumerable.Range(0, 3).Select(_ => ChildProcess.Start("ArrayHolderProgram", [_folder.Root])).ToList();
        foreach (var holder in holders)
        {
            await holder.LineAsync("array-holder ready");
        }

        holders.ForEach(holder => holder.Say("put 60000000 5"));
        var said = new List<string>();
        foreach (var holder in holders)
        {
            said.Add(await holder.LineAsync("put "));
        }

        Assert.Single(said.Select(line => line.Split(' ')[2]).Distinct());
        Assert.Equal(1, said.Sum(line => int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)));
        holders.ForEach(holder => holder.Say("end"));
        foreach (var holder in holders)
        {
            Assert.Equal(0, await holder.ExitAsync());
            holder.Dispose();
        }

        Assert.Empty(Segments());
    }

    [Fact]
    public void Put_ManyThreadsAndStores_NeverMixContents()
    {
        var seed = Random.Shared.Next();
        using var watch = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var stores = Enumerable.Range(0, 3).Select(_ => new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root, MaxBytes = 60 << 20, MaxIdleBytes = 8 << 20 })).ToList();
        var threads = Enumerable.Range(0, 6).Select(i => new Thread(() =>
        {
            var random = new Random(seed + i);
            while (!watch.IsCancellationRequested && failures.IsEmpty)
            {
                var which = random.Next(12);
                var length = which % 3 == 0 ? 700_000 + which : 20_000 * (which + 1);
                var array = (long[])Numbers(length, which).Holder;
                using var lease = stores[random.Next(3)].Put(ArrayView.TryOf(array)!.Value);
                var mapped = new StoreSource();
                var view = mapped.Map<long>(new ArrayReference(ArrayPlace.Segment, lease.Segment.Path, lease.Segment.DataOffset, MmapMode.ReadOnly, [length], [1]));
                if (!view.AsReadOnlySpan().SequenceEqual(array))
                {
                    failures.Enqueue($"seed {seed}: array {which} is another one");
                }

                GC.KeepAlive(view);
                mapped.Dispose();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => Assert.True(thread.Join(Patience.Limit)));
        Assert.Empty(failures);
        stores.ForEach(store => store.Dispose());
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using (Store())
        {
        }

        Assert.Empty(Segments());
    }

    [Fact]
    public void TryOpen_PathOutsideOfAStore_IsRefused()
    {
        using var store = Store();
        using var lease = store.Put(Numbers(10, 1));
        var name = Path.GetFileName(lease.Segment.Path);
        File.Copy(lease.Segment.Path, _folder[name]);
        foreach (var path in (string[])["/etc/passwd", "/dev/shm/../etc/passwd", name, _folder[name], lease.Segment.Path + "x", Path.Combine(Path.GetDirectoryName(lease.Segment.Path)!, ".", name), ""])
        {
            Assert.Equal("docs/errors.md#array-path", Assert.Throws<JoblibException>(() => ArrayStore.TryOpen(path)).HelpLink);
        }

        using var opened = ArrayStore.TryOpen(lease.Segment.Path);
        Assert.NotNull(opened);
        Assert.Null(ArrayStore.TryOpen(lease.Segment.Path.Replace(name[..4], "0000", StringComparison.Ordinal)));
    }

    private static ArrayView Numbers(int length, int seed)
    {
        var array = new long[length];
        new Random(seed).NextBytes(MemoryMarshal.AsBytes(array.AsSpan()));
        return ArrayView.TryOf(array)!.Value;
    }

    // Not Assert.Equal, which takes half a minute for a few million numbers that it must compare as objects.
    private static void AssertHas(ArrayLease lease, ArrayView numbers) =>
        Assert.True(((long[])numbers.Holder).AsSpan().SequenceEqual(Joblib.Load<long[]>(lease.Segment.Path)), "The segment holds other numbers.");

    private ArrayStore Store() => new(new ArrayStoreOptions { TempFolder = _folder.Root });

    private string[] Segments() => Directory.GetFiles(_folder.Root, "*.npy", SearchOption.AllDirectories);
}
