using System.Runtime.InteropServices;
using Azure.Storage.Blobs.Models;
using Orleans.Hosting;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Large arrays of calls and results on silos in processes of their own, on this host and on others: mount namespaces of their own.</summary>
public sealed class ClusterArrayTests(ClusterArrayTests.Servers servers) : IClassFixture<ClusterArrayTests.Servers>
{
    private const int Length = 1 << 20;

    // A page, and the place of an array of .NET in one.
    private const int MostHeadBytes = SegmentHead.PageBytes + 0x38;

    // The machine may be busy.
    private static readonly JoblibClusterOptions Patient = new() { ConnectTimeout = Patience.Limit };

    [Theory]
    [InlineData("threads")]
    [InlineData("processes")]
    public async Task SameHost_ArraysAndResults_AreNotSent(string workers)
    {
        await using var silos = await SiloCluster.StartAsync(silos: 2, slots: 1, "--workers", workers);
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var array = Numbers(1);
        var before = ClusterArrays.ChunkBytes;

        Assert.Equal(Enumerable.Repeat(array.Sum(), 20), Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => array.Sum())))));
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(Shifted, array, i))));
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Shifted(array, i), results[i]);
        }

        Assert.Equal(before, ClusterArrays.ChunkBytes);
    }

    [Theory]
    [InlineData("threads")]
    [InlineData("processes")]
    public async Task OtherHost_ArraysComeOnceForAllItsSilosAndCalls(string workers)
    {
        using var host = Host();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1, "--workers", workers);
        await silos.AddAsync(2, null, host.Prefix);
        await using var cluster = await silos.ConnectAsync(Patient);
        var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var array = Numbers(1);
        var before = ClusterArrays.ChunkBytes;

        Assert.Equal(Enumerable.Repeat(array.Sum(), 20), Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => array.Sum())))));
        Assert.InRange(ClusterArrays.ChunkBytes - before, 8L * Length, (8L * Length) + MostHeadBytes);

        // Another loop: the host has it still.
        Assert.Equal(Enumerable.Repeat(array[5], 4), Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => array[5])))));
        Assert.InRange(ClusterArrays.ChunkBytes - before, 8L * Length, (8L * Length) + MostHeadBytes);

        // Changed between two loops: never a stale one.
        array[5] = -1;
        Assert.Equal(Enumerable.Repeat(-1L, 4), Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => array[5])))));

        before = ClusterArrays.ChunkBytes;
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(Shifted, array, i))));
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Shifted(array, i), results[i]);
        }

        Assert.InRange(ClusterArrays.ChunkBytes - before, 6 * 8L * Length, 6 * ((8L * Length) + MostHeadBytes));
        await parallel.DisposeAsync();
        foreach (var silo in silos.Silos)
        {
            silo.Terminate();
            Assert.Equal(0, await silo.ExitAsync());
        }

        Assert.Empty(host.Segments);
    }

    [Theory]
    [InlineData("threads")]
    [InlineData("processes")]
    public async Task OtherHost_WithBlobStorage_OneDownloadForAllItsSilosAndCalls(string workers)
    {
        using var host = Host();
        var setting = servers.NewContainer();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1, "--workers", workers, "--log-level", "Debug");
        await silos.AddAsync(2, new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting }, host.Prefix);
        await using var cluster = await silos.ConnectAsync(Patient);
        var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit, Blobs = setting }), batchSize: 1);
        var array = Numbers(1);
        var before = ClusterArrays.ChunkBytes;

        Assert.Equal(Enumerable.Repeat(array.Sum(), 20), Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => array.Sum())))));
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(Shifted, array, i))));
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Shifted(array, i), results[i]);
        }

        await parallel.DisposeAsync();
        Assert.Equal(1, silos.Silos.Sum(silo => silo.Output.Split('\n').Count(line => line.Contains("bytes was fetched", StringComparison.Ordinal))));
        Assert.Equal(before, ClusterArrays.ChunkBytes);

        // All that was stored is gone with the loops.
        var container = BlobStorage.Parse(setting).Container;
        Patience.Until(() => !container.GetBlobs().Any(), "the blobs to go");
    }

    [Fact]
    public async Task OtherHost_BlobStorageThatTheSiloMayNotUse_OrAnother_FailsByName()
    {
        using var host = Host();
        var azurite = servers.Azurite;
        foreach (var (setting, heading) in ((string, string)[])[(azurite.Setting("arrays", Convert.ToBase64String(new byte[64])), "#blob-denied"), (azurite.Setting("others"), "#blob-elsewhere")])
        {
            await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
            await silos.AddAsync(1, new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting }, host.Prefix);
            await using var cluster = await silos.ConnectAsync(Patient);
            using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit, Blobs = azurite.Setting("arrays") }));
            var array = Numbers(1);
            var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() => array.Sum())]));
            Assert.EndsWith(heading, Assert.IsType<JoblibException>(thrown).HelpLink, StringComparison.Ordinal);

            // Loops without large arrays do not need it.
            Assert.Equal([1], Patience.Within(() => parallel.Run([Delayed(() => 1)])));
        }
    }

    [Fact]
    public async Task OtherHost_WithoutRoom_SaysSo_AndRunsTheNextLoop()
    {
        using var host = Host(sharedMemoryMegabytes: 64);
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, null, host.Prefix, "--array-folder", "/dev/shm", "--array-store-size", "20M");
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var arrays = Enumerable.Range(0, 3).Select(Numbers).ToArray();
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() => arrays[0][1] + arrays[1][1] + arrays[2][1])]));
        Assert.EndsWith("#array-store-full", Assert.IsType<JoblibException>(thrown).HelpLink, StringComparison.Ordinal);

        // What the failed loop had brought makes room for the next, array by array.
        for (var i = 0; i < 5; i++)
        {
            var array = Numbers(10 + i);
            Assert.Equal([array.Sum()], Patience.Within(() => parallel.Run([Delayed(() => array.Sum())])));
        }
    }

    // Far more than its store holds, each for one call, and one for all of them.
    [Theory]
    [InlineData("threads")]
    [InlineData("processes")]
    public async Task OtherHost_ArraysAndResultsWithoutNumber_GoThroughASmallStore(string workers)
    {
        using var host = Host();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1, "--workers", workers);
        await silos.AddAsync(2, null, host.Prefix, "--array-folder", "/dev/shm", "--array-store-size", "64M");
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var common = Half(1000);
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 30).Select(i => Delayed(ShiftedAs, Half(i), common, i))));
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(ShiftedAs(Half(i), common, i), results[i]);
        }

        static long[] Half(int seed) => Numbers(seed)[..(Length / 2)];
    }

    [Fact]
    public async Task OtherHost_ArraysInTurn_MoreThanItsStoreHolds_AreBroughtAgain()
    {
        using var host = Host();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, null, host.Prefix, "--array-folder", "/dev/shm", "--array-store-size", "32M");
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var arrays = Enumerable.Range(0, 10).Select(i => Numbers(i)[..(Length / 2)]).ToArray();
        var sums = arrays.Select(array => array.Sum()).ToArray();
        var before = ClusterArrays.ChunkBytes;
        Assert.Equal(Enumerable.Range(0, 30).Select(i => sums[i % 10]), Patience.Within(() => parallel.Run(Enumerable.Range(0, 30).Select(i => Delayed(Sum, arrays[i % 10])))));
        Assert.True(ClusterArrays.ChunkBytes - before > 10 * 4L * Length);

        static long Sum(long[] array) => array.Sum();
    }

    [Fact]
    public async Task OtherHost_EmptyFileOfTheUsers_IsBrought()
    {
        using var host = Host();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, null, host.Prefix);
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }));
        var path = Path.Combine(Path.GetTempPath(), $"joblib-own-{Guid.NewGuid():n}.bin");
        await File.WriteAllBytesAsync(path, [], TestContext.Current.CancellationToken);
        try
        {
            using var empty = MemmappedArray<int>.OpenRaw(path);
            Assert.Equal([0L], Patience.Within(() => parallel.Run([Delayed(() => empty.Length)])));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task OtherHost_UsersOwnFile_IsBrought_AndNotWhereCallsWouldWriteInPlace()
    {
        using var host = Host();
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, null, host.Prefix);
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }));
        var path = Path.Combine(Path.GetTempPath(), $"joblib-own-{Guid.NewGuid():n}.npy");
        try
        {
            var numbers = Numbers(1);
            Dump(numbers, path);
            using (var mapped = Load<MemmappedArray<long>>(path, MmapMode.ReadOnly))
            {
                var part = mapped.Slice(0, 10, 1000);
                Assert.Equal([numbers[10] + numbers[999]], Patience.Within(() => parallel.Run([Delayed(() => part[0] + part[989])])));
            }

            using var writable = Load<MemmappedArray<long>>(path, MmapMode.ReadWrite);
            var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() => writable[0])]));
            Assert.EndsWith("#array-in-place", Assert.IsType<JoblibException>(thrown).HelpLink, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task SameHost_UsersOwnFile_IsWrittenInPlace()
    {
        await using var silos = await SiloCluster.StartAsync(silos: 1, slots: 2);
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var path = Path.Combine(Path.GetTempPath(), $"joblib-own-{Guid.NewGuid():n}.npy");
        try
        {
            using var shared = MemmappedArray<int>.Create(path, [100]);
            Patience.Within(() => parallel.Run(Enumerable.Range(0, 100).Select(i => Delayed(() => shared[i] = i))));
            Assert.Equal(Enumerable.Range(0, 100), shared.AsReadOnlySpan().ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Client_Killed_ItsArraysLeaveTheOtherHost_AndTheBlobStorage()
    {
        using var host = Host();
        var setting = servers.NewContainer();
        var blobs = new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting };
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, blobs, host.Prefix);
        using var client = await LoopClientProcess.StartAsync(silos.Address, TimeSpan.FromSeconds(1), hasArrays: true, environment: blobs);
        Assert.Single(host.Segments);
        await client.KillAsync();

        // Lease, sweep, what a later loop might want, the collector: seconds each.
        Patience.Until(() => host.Segments.Length == 0, "the array to go");
        var storage = BlobStorage.Parse(setting);
        Assert.Equal(2, storage.Container.GetBlobs().Count());
        Patience.Until(() => BlobLease.SweepAsync(storage, TimeSpan.FromSeconds(1)).GetAwaiter().GetResult() == 2, "the blobs' lease to end");
        Assert.False(silos.Silos[0].HasExited, silos.Silos[0].Output);
    }

    [Fact]
    public async Task Silo_KilledWithAnArray_ItsCallsAreMadeElsewhere_AndItsHostIsSweptByTheNext()
    {
        using var meeting = new Rendezvous();
        using var host = Host(kept: meeting.Folder);
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        var first = (await silos.AddAsync(1, null, host.Prefix))[0];
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), batchSize: 1);
        var array = Numbers(1);
        var running = parallel.RunAsync(Enumerable.Range(0, 4).Select(_ => Delayed(() =>
        {
            meeting.Note("started", Environment.ProcessId);
            meeting.Await("go", "the silo to be killed");
            return array.Sum();
        })));
        Patience.Until(() => meeting.Noted("started").Length == 1 || running.IsFaulted, "a call to start");
        Assert.False(running.IsFaulted, running.Exception?.ToString());
        var second = (await silos.AddAsync(1, null, host.Prefix))[0];
        await first.KillAsync();
        meeting.Set("go");
        Assert.Equal(Enumerable.Repeat(array.Sum(), 4), Patience.Await(running, "the loop to end on the other silo"));
        Assert.Contains(second.Id.ToString(), meeting.Noted("started"));
        Patience.Until(() => host.Segments.Length <= 1, "the killed silo's array to go");
    }

    // The silo still keeps the results that the client did not get when it makes the call once more.
    [Fact]
    public async Task OtherHost_ResultCannotBeFetchedAtFirst_ItsCallIsMadeOnceMore()
    {
        using var meeting = new Rendezvous();
        using var host = Host(kept: meeting.Folder);
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, null, host.Prefix);
        var refused = new RefusedReads(3);
        await using var cluster = await silos.ConnectAsync(Patient with { ConfigureClient = client => client.AddOutgoingGrainCallFilter(refused) });
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit }), maxNbytes: 100_000);
        var result = Patience.Within(() => parallel.Run([Delayed(() => Enumerable.Range(meeting.Add("calls"), 50_000).Select(i => (long)i).ToArray())]))[0];
        Assert.Equal(0, refused.Left);
        Assert.Equal(2, meeting.Count("calls"));
        Assert.Equal(Enumerable.Range(2, 50_000).Select(i => (long)i), result);
    }

    // A file that has gone is the array's fault, not the silo's: to try again would never end.
    [Fact]
    public async Task OtherHost_UsersOwnFileIsDeletedInMidRun_FailsByName()
    {
        using var meeting = new Rendezvous();
        using var one = Host(kept: meeting.Folder);
        using var other = Host(kept: meeting.Folder);
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        var first = (await silos.AddAsync(1, null, one.Prefix))[0];
        await using var cluster = await silos.ConnectAsync(Patient);
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit, Lease = TimeSpan.FromSeconds(10) }), batchSize: 1);
        var path = Path.Combine(meeting.Folder, "own.npy");
        Dump(Numbers(1), path);
        using var mapped = Load<MemmappedArray<long>>(path, MmapMode.ReadOnly);
        var running = parallel.RunAsync([Delayed(() =>
        {
            meeting.Note("started", Environment.ProcessId);
            meeting.Await("go", "the file to be deleted");
            return mapped[0];
        })]);
        Patience.Until(() => meeting.Noted("started").Length == 1 || running.IsFaulted, "the call to start");
        Assert.False(running.IsFaulted, running.Exception?.ToString());
        File.Delete(path);
        await silos.AddAsync(1, null, other.Prefix);
        await first.KillAsync();
        meeting.Set("go");
        var thrown = Patience.ThrownBy(() => Patience.Await(running, "the run"));
        Assert.EndsWith("#array-gone", Assert.IsType<JoblibException>(thrown).HelpLink, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_KilledInMidUpload_LeavesNothingAfterTheSweep()
    {
        using var host = Host();
        var setting = servers.NewContainer();
        var blobs = new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting };
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        await silos.AddAsync(1, blobs, host.Prefix);
        using var client = await LoopClientProcess.StartUploadAsync(silos.Address, TimeSpan.FromSeconds(1), blobs);
        var storage = BlobStorage.Parse(setting);

        // Its mark is there before the first block; what comes after it waits for the storage, which is stopped (SIGSTOP) until the client is gone.
        Patience.Until(() => storage.Container.Exists() && storage.Container.GetBlobs().Any(), "the upload to begin");
        ChildProcess.Signal(servers.Azurite.ProcessId, 19);
        await client.KillAsync();
        ChildProcess.Signal(servers.Azurite.ProcessId, 18);
        Assert.DoesNotContain("ready", client.Output, StringComparison.Ordinal);

        Patience.Until(() => BlobLease.SweepAsync(storage, TimeSpan.FromSeconds(1)).GetAwaiter().GetResult() >= 0 && !All().Any(), "the blobs to go");
        Patience.Until(() => host.Segments.Length == 0, "what the silo had prepared to go");

        IEnumerable<BlobItem> All() => storage.Container.GetBlobs(new GetBlobsOptions { States = BlobStates.Uncommitted });
    }

    [Fact]
    public async Task BlobsAndTheirLease_DeletedInMidRun_AreStoredAgainForTheNextHost()
    {
        using var meeting = new Rendezvous();
        using var one = Host(kept: meeting.Folder);
        using var other = Host(kept: meeting.Folder);
        var setting = servers.NewContainer();
        var blobs = new Dictionary<string, string?> { ["JOBLIB_BLOBS"] = setting };
        await using var silos = await SiloCluster.StartAsync(silos: 0, slots: 1);
        var first = (await silos.AddAsync(1, blobs, one.Prefix))[0];
        await using var cluster = await silos.ConnectAsync(Patient);
        var parallel = Parallel(-1, new OrleansBackend(cluster.Client, new OrleansBackendOptions { ConnectTimeout = Patience.Limit, Blobs = setting }), batchSize: 1);
        var array = Numbers(1);
        var running = parallel.RunAsync(Enumerable.Range(0, 4).Select(_ => Delayed(() =>
        {
            meeting.Note("started", Environment.ProcessId);
            meeting.Await("go", "the blobs to be deleted");
            return array.Sum();
        })));
        Patience.Until(() => meeting.Noted("started").Length == 1 || running.IsFaulted, "a call to start");
        Assert.False(running.IsFaulted, running.Exception?.ToString());
        var container = BlobStorage.Parse(setting).Container;
        var deleted = container.GetBlobs().Select(blob => blob.Name).ToArray();
        Assert.Equal(2, deleted.Length);
        Assert.All(deleted, name => Assert.True(container.DeleteBlobIfExists(name)));
        var second = (await silos.AddAsync(1, blobs, other.Prefix))[0];
        await first.KillAsync();
        meeting.Set("go");

        Assert.Equal(Enumerable.Repeat(array.Sum(), 4), Patience.Await(running, "the loop to end on the other host"));
        Assert.Contains(second.Id.ToString(), meeting.Noted("started"));
        await parallel.DisposeAsync();
        Patience.Until(() => !container.GetBlobs().Any(), "the blobs to go");
    }

    private static MountNamespace Host(int sharedMemoryMegabytes = 4096, string? kept = null)
    {
        var host = MountNamespace.TryCreate(out var reason, sharedMemoryMegabytes, kept);
        Assert.SkipWhen(host is null, reason);
        return host;
    }

    private static long[] Shifted(long[] array, int by)
    {
        var shifted = new long[array.Length];
        for (var i = 0; i < array.Length; i++)
        {
            shifted[i] = array[i] + by;
        }

        return shifted;
    }

    private static long[] ShiftedAs(long[] array, long[] all, int index) => Shifted(array, (int)(all[index] % 1000));

    private static long[] Numbers(int seed)
    {
        var array = new long[Length];
        new Random(seed).NextBytes(MemoryMarshal.AsBytes(array.AsSpan()));
        for (var i = 0; i < array.Length; i++)
        {
            array[i] >>= 32;
        }

        return array;
    }

    /// <summary>What every test needs and none changes.</summary>
    public sealed class Servers : IAsyncLifetime
    {
        public Azurite Azurite { get; private set; } = null!;

        public string NewContainer() => Azurite.Setting($"c{Guid.NewGuid():n}");

        public async ValueTask InitializeAsync() => Azurite = await Azurite.StartAsync();

        public ValueTask DisposeAsync()
        {
            Azurite?.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A connection over which the first reads of results do not come through.</summary>
    private sealed class RefusedReads(int count) : IOutgoingGrainCallFilter
    {
        private int _left = count;

        internal int Left => Math.Max(Volatile.Read(ref _left), 0);

        public Task Invoke(IOutgoingGrainCallContext context) =>
            context.InterfaceMethod.DeclaringType == typeof(IArrayGrain) && context.InterfaceMethod.Name == nameof(IArrayGrain.ReadAsync) && Interlocked.Decrement(ref _left) >= 0
                ? throw new TimeoutException("The gateway has gone.")
                : context.Invoke();
    }
}
