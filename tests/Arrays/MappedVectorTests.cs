using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Arrays of .NET over the pages of a segment: the collector must never notice.</summary>
public sealed class MappedVectorTests : IDisposable
{
    private const int Length = 5_000_000;

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
    private readonly ArrayStore _store;

    public MappedVectorTests()
    {
        Assert.SkipUnless(ArrayStore.IsSupported && Environment.SystemPageSize == 4096, "Arrays are shared on Linux.");
        _store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root });
    }

    public void Dispose()
    {
        _store?.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _folder.Dispose();
    }

    [Fact]
    public void Load_LargeVector_IsNotCopied()
    {
        var array = Numbers(1);
        using var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        using var source = new StoreSource();
        var loaded = (double[])source.Load(Reference(lease), typeof(double[]));

        Assert.True(MappedVector.IsMapped(loaded));
        Assert.True(array.AsSpan().SequenceEqual(loaded));
        Assert.Equal(typeof(double[]), loaded.GetType());
    }

    // At such a place in the file no array of .NET can have the pages, so the elements are read: the collector must not close the file meanwhile.
    [Fact]
    public void Take_AtAnotherPlaceThanItsPages_IsRead_WhateverTheCollectorDoes()
    {
        var array = Numbers(1);
        using var over = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!over.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var round = 0; round < 25; round++)
            {
                using var lease = _store.PutUnshared(ArrayView.TryOf(array)!.Value);
                var reference = Reference(lease) with { Offset = lease.Segment.DataOffset + sizeof(double), Lengths = [Length - 1] };
                var taken = (double[])SharedArrays.Take(ArrayStore.TryOpen(reference.Path)!, reference, typeof(double[]));
                Assert.False(MappedVector.IsMapped(taken));
                Assert.True(array.AsSpan(1).SequenceEqual(taken));
            }
        }
        finally
        {
            over.Cancel();
            Assert.True(collector.Join(Patience.Limit));
        }
    }

    [Fact]
    public void Written_StaysInTheProcess_AndIsUndoneForTheNextRun()
    {
        var array = Numbers(2);
        using var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        var run = new StoreSource();
        var loaded = (double[])run.Load(Reference(lease), typeof(double[]));
        var random = new Random(3);
        foreach (var place in (int[])[0, 1, 511, 512, Length - 1, Length - 2, .. Enumerable.Range(0, 100).Select(_ => random.Next(Length))])
        {
            loaded[place] = -1;
        }

        Assert.True(array.AsSpan().SequenceEqual(Joblib.Load<double[]>(lease.Segment.Path)));
        Assert.Same(loaded, run.Load(Reference(lease), typeof(double[])));
        Assert.Equal(-1, loaded[0]);
        run.Dispose();

        using var next = new StoreSource();
        var again = (double[])next.Load(Reference(lease), typeof(double[]));
        Assert.Same(loaded, again);
        Assert.True(array.AsSpan().SequenceEqual(again));
        again.AsSpan().Fill(7);
        next.Dispose();
        using var third = new StoreSource();
        Assert.True(array.AsSpan().SequenceEqual((double[])third.Load(Reference(lease), typeof(double[]))));
    }

    [Fact]
    public unsafe void WrittenPages_AreThoseThatWereWrittenTo()
    {
        using var lease = _store.Put(ArrayView.TryOf(Numbers(8))!.Value);
        var mapping = ArrayFiles.MapSegment(lease.Segment.Path, MmapMode.CopyOnWrite);
        var random = new Random(9);
        long sum = 0;
        for (var i = 0; i < 2000; i++)
        {
            sum += mapping.Start[random.NextInt64(mapping.Length)];
        }

        var written = Enumerable.Range(0, 700).Select(_ => random.NextInt64(mapping.Length / 4096)).ToHashSet();
        foreach (var page in written)
        {
            mapping.Start[page * 4096] ^= 1;
        }

        var start = (nint)mapping.Start;
        var bytes = (nint)mapping.Length & -4096;
        HashSet<long> found = [];
        WrittenPages.ForEach(start, bytes, (from, length) => Add(found, from, length));
        Assert.Equal(written.Order(), found.Order());
        GC.KeepAlive((mapping, sum));

        void Add(HashSet<long> pages, nint from, nint length)
        {
            for (nint at = 0; at < length; at += 4096)
            {
                pages.Add((from + at - start) / 4096);
            }
        }
    }

    [Fact]
    public void Runs_AtTheSameTime_DoNotSeeEachOthersWrites()
    {
        var array = Numbers(2);
        using var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        using var first = new StoreSource();
        using var second = new StoreSource();
        var one = (double[])first.Load(Reference(lease), typeof(double[]));
        one[1000] = -1;
        var two = (double[])second.Load(Reference(lease), typeof(double[]));

        Assert.Equal(array[1000], two[1000]);
        Assert.Equal(-1, one[1000]);
    }

    [Fact]
    public void Collected_TheMemory_IsTheCollectorsAgain()
    {
        var array = Numbers(4);
        using var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        var reference = Reference(lease);
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 8; round++)
        {
            var dead = Use();
            for (var i = 0; i < 20 && dead.IsAlive; i++)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }

            Assert.False(dead.IsAlive, $"seed {seed}, round {round}");

            // New arrays in the same memory are zeros where they must be, and keep what is written to them.
            var others = Enumerable.Range(0, 3).Select(_ => GC.AllocateArray<byte>(random.Next(1 << 20, 60 << 20), pinned: true)).ToList();
            foreach (var other in others)
            {
                Assert.False(other.AsSpan().ContainsAnyExcept((byte)0), $"seed {seed}, round {round}");
                other.AsSpan().Fill((byte)round);
            }

            GC.Collect();
            Assert.All(others, other => Assert.False(other.AsSpan().ContainsAnyExcept((byte)round)));
        }

        Assert.True(array.AsSpan().SequenceEqual(Joblib.Load<double[]>(lease.Segment.Path)));

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Use()
        {
            using var source = new StoreSource();
            var loaded = (double[])source.Load(reference, typeof(double[]));
            loaded[random.Next(Length)] = 5;
            Assert.Equal(array[7], loaded[7]);
            return new WeakReference(loaded);
        }
    }

    [Fact]
    public void ManyOfLessThanARegion_KeepTheirElements_AndGiveTheirMemoryBack()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var held = new List<(double[] Loaded, double[] Expected)>();
        var mapped = 0;
        const int Rounds = 300;
        for (var round = 0; round < Rounds; round++)
        {
            var array = new double[round % 2 == 0 ? 128 << 10 : random.Next(40 << 10, 400 << 10)];
            array.AsSpan().Fill(round);
            array[^1] = -round;
            using (var lease = _store.Put(ArrayView.TryOf(array)!.Value))
            {
                using var source = new StoreSource();
                var loaded = (double[])source.Load(Reference(lease, array.Length), typeof(double[]));
                mapped += MappedVector.IsMapped(loaded) ? 1 : 0;
                Assert.True(array.AsSpan().SequenceEqual(loaded), $"seed {seed}, round {round}");
                held.Add((loaded, array));
            }

            // Pinned neighbours in between, which must be zeros and stay what they are.
            var other = GC.AllocateArray<byte>(random.Next(1 << 10, 2 << 20), pinned: true);
            Assert.False(other.AsSpan().ContainsAnyExcept((byte)0), $"seed {seed}, round {round}");
            other.AsSpan().Fill(1);
            if (random.Next(10) == 0)
            {
                held.RemoveRange(0, random.Next(held.Count));
                GC.Collect(2, random.Next(2) == 0 ? GCCollectionMode.Aggressive : GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
                Assert.All(held, pair => Assert.True(pair.Expected.AsSpan().SequenceEqual(pair.Loaded), $"seed {seed}, round {round}"));
            }
        }

        Assert.InRange(mapped, Rounds / 10, Rounds);
    }

    [Fact]
    public void WrittenVectorOfLessThanARegion_IsUndoneForTheNextRun()
    {
        var array = new double[300_000];
        array.AsSpan().Fill(3);
        using var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        for (var run = 0; run < 5; run++)
        {
            using var source = new StoreSource();
            var loaded = (double[])source.Load(Reference(lease, array.Length), typeof(double[]));
            Assert.True(array.AsSpan().SequenceEqual(loaded));
            loaded.AsSpan().Fill(run);
            loaded[0] = -1;
            Assert.Equal(run, ((double[])source.Load(Reference(lease, array.Length), typeof(double[])))[^1]);
        }

        Assert.True(array.AsSpan().SequenceEqual(Joblib.Load<double[]>(lease.Segment.Path)));
    }

    [Fact]
    public void Reachable_ThroughCollections_KeepsItsElements()
    {
        var array = Numbers(5);
        var lease = _store.Put(ArrayView.TryOf(array)!.Value);
        var source = new StoreSource();
        var loaded = (double[])source.Load(Reference(lease), typeof(double[]));
        source.Dispose();
        lease.Dispose();
        _store.Trim(0);
        for (var round = 0; round < 10; round++)
        {
            var garbage = Enumerable.Range(0, 50).Select(_ => new byte[1 << 20]).ToList();
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            GC.KeepAlive(garbage);
            Assert.True(array.AsSpan().SequenceEqual(loaded));
        }
    }

    [Fact]
    public void Collected_TheSegment_CanBeOverwritten()
    {
        var lease = _store.Put(ArrayView.TryOf(Numbers(6))!.Value);
        Use();
        lease.Dispose();
        Patience.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return SegmentIsFree();
            },
            "the mapping to be gone");
        using var other = _store.Put(ArrayView.TryOf(Numbers(7))!.Value);
        Assert.Equal(1, _store.RecycledSegments);
        Assert.True(Numbers(7).AsSpan().SequenceEqual(Joblib.Load<double[]>(other.Segment.Path)));

        bool SegmentIsFree() => !File.ReadAllText("/proc/self/maps").Contains(_folder.Root, StringComparison.Ordinal);

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Use()
        {
            using var source = new StoreSource();
            Assert.Equal(Numbers(6)[9], ((double[])source.Load(Reference(lease), typeof(double[])))[9]);
        }
    }

    private static ArrayReference Reference(ArrayLease lease, int length = Length) =>
        new(ArrayPlace.Segment, lease.Segment.Path, lease.Segment.DataOffset, MmapMode.CopyOnWrite, [length], [1]);

    private static double[] Numbers(int seed)
    {
        var array = new double[Length];
        new Random(seed).NextBytes(MemoryMarshal.AsBytes(array.AsSpan()));
        for (var i = 0; i < array.Length; i++)
        {
            // Numbers that are equal to themselves.
            array[i] = BitConverter.DoubleToInt64Bits(array[i]) >> 12;
        }

        return array;
    }
}
