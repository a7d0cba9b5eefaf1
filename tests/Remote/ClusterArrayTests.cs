using System.Runtime.InteropServices;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Large arrays of calls and results on silos in processes of their own, on this host and on others: mount namespaces of their own.</summary>
public sealed class ClusterArrayTests
{
    private const int Length = 1 << 20;

    [Theory]
    [InlineData("threads")]
    [InlineData("processes")]
    public async Task SameHost_ArraysAndResults_AreNotSent(string workers)
    {
        await using var silos = await SiloCluster.StartAsync(silos: 2, slots: 1, "--workers", workers);
        await using var cluster = await silos.ConnectAsync();
        using var parallel = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 1);
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
        await using var cluster = await silos.ConnectAsync();
        var parallel = Parallel(-1, new OrleansBackend(cluster.Client), batchSize: 1);
        var array = Numbers(1);
        var before = ClusterArrays.ChunkBytes;

        Assert.Equal(Enumerable.Repeat(array.Sum(), 20), Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(_ => Delayed(() => array.Sum())))));
        Assert.InRange(ClusterArrays.ChunkBytes - before, 8L * Length, (8L * Length) + 4096);

        // Another loop: the host has it still.
        Assert.Equal(Enumerable.Repeat(array[5], 4), Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => array[5])))));
        Assert.InRange(ClusterArrays.ChunkBytes - before, 8L * Length, (8L * Length) + 4096);

        // Changed between two loops: never a stale one.
        array[5] = -1;
        Assert.Equal(Enumerable.Repeat(-1L, 4), Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => array[5])))));

        before = ClusterArrays.ChunkBytes;
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 6).Select(i => Delayed(Shifted, array, i))));
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Shifted(array, i), results[i]);
        }

        Assert.InRange(ClusterArrays.ChunkBytes - before, 6 * 8L * Length, 6 * ((8L * Length) + 4096));
        await parallel.DisposeAsync();
        foreach (var silo in silos.Silos)
        {
            silo.Terminate();
            Assert.Equal(0, await silo.ExitAsync());
        }

        Assert.Empty(host.Segments);
    }

    private static MountNamespace Host()
    {
        var host = MountNamespace.TryCreate(out var reason);
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
}
