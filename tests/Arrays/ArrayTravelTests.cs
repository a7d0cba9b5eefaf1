using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Large arrays of calls go through a store of this host, and arrive as what they were.</summary>
public sealed class ArrayTravelTests : IDisposable
{
    private const int Limit = 1000;

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);
    private readonly ArrayStore _store;
    private readonly StoreSink _sink;
    private readonly StoreSource _source = new();

    public ArrayTravelTests()
    {
        Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");
        _store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root });
        _sink = new StoreSink(_store, Limit);
    }

    public void Dispose()
    {
        _source?.Dispose();
        _sink?.Dispose();
        _store?.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _folder.Dispose();
    }

    [Fact]
    public void Captured_LargeArray_IsAFewBytes()
    {
        var array = Numbers(10_000);
        var payload = Encode(Delayed(() => array.Sum()), Delayed(() => array.Length + 0.0));

        Assert.InRange(payload.Length, 0, 8000);
        Assert.Equal([array.Sum(), 10_000], Run<double>(payload));
        Assert.Equal(1, _store.WrittenSegments);
    }

    [Fact]
    public void Argument_OfEveryCall_IsWrittenOnceAndMadeOnce()
    {
        var array = Numbers(10_000);
        var first = Encode([.. Enumerable.Range(0, 50).Select(i => Delayed(At, array, i))]);
        var second = Encode([.. Enumerable.Range(50, 50).Select(i => Delayed(Identity, array, i))]);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => array[i]), Run<double>(first));
        var arrays = Run<object>(second);
        Assert.Single(arrays.Distinct(ReferenceEqualityComparer.Instance));
        Assert.Same(arrays[0], Run<object>(Encode(Delayed(Identity, array, 0)))[0]);
        Assert.Equal(1, _store.WrittenSegments);

        static double At(double[] array, int i) => array[i];
        static object Identity(double[] array, int i) => array;
    }

    [Fact]
    public void SmallArrays_AndThoseOfObjects_TravelInThePayload()
    {
        var small = new double[Limit / sizeof(double)];
        var words = Enumerable.Range(0, 1000).Select(i => $"{i}").ToArray();
        var dates = Enumerable.Range(0, 1000).Select(i => new DateTime(i)).ToArray();
        var offset = Array.CreateInstance(typeof(int), [1000], [1]);
        Assert.Equal(4, Run<int>(Encode(Delayed(() => (small.Length > 0 ? 1 : 0) + words.Length / 1000 + dates.Length / 1000 + offset.GetLowerBound(0))))[0]);
        Assert.Equal(0, _store.WrittenSegments);
    }

    [Fact]
    public void Arrays_InsideObjectsAndCollections_GoToTheStore()
    {
        var shared = Enumerable.Range(0, 5000).ToArray();
        var grid = new float[100, 100];
        grid[99, 99] = 5;
        var holder = new Dictionary<string, object> { ["list"] = new List<int[]> { shared, shared }, ["grid"] = grid, ["tuple"] = (shared, 1), ["bools"] = new bool[2000], ["self"] = "x" };
        var payload = Encode(Delayed(() => holder));
        var copy = Run<Dictionary<string, object>>(payload)[0];

        Assert.InRange(payload.Length, 0, 8000);
        Assert.Equal(3, _store.WrittenSegments);
        var list = (List<int[]>)copy["list"];
        Assert.Equal(shared, list[0]);
        Assert.Same(list[0], list[1]);
        Assert.Same(list[0], (((int[], int))copy["tuple"]).Item1);
        Assert.Equal(grid, (float[,])copy["grid"]);
        Assert.Equal(new bool[2000], (bool[])copy["bools"]);
    }

    [Fact]
    public void Memory_OfALargeArray_IsTheMapping()
    {
        var array = Numbers(10_000);
        ReadOnlyMemory<double> part = array.AsMemory(10, 100);
        var writable = array.AsMemory();
        var (read, write, again) = Run<(ReadOnlyMemory<double>, Memory<double>, ReadOnlyMemory<double>)>(Encode(Delayed(() => (part, writable, part))))[0];

        Assert.Equal(part.ToArray(), read.ToArray());
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetMemoryManager<double, MappedMemory<double>>(read, out _));

        // Writing stays with the one that writes.
        write.Span[10] = -1;
        Assert.Equal(array[10], read.Span[0]);
        Assert.Equal(array, Run<Memory<double>>(Encode(Delayed(() => writable)))[0].ToArray());
        Assert.Equal(1, _store.WrittenSegments);
        Assert.Equal(100, again.Length);
    }

    [Fact]
    public void MemmappedArray_OfAFile_IsSentAsItsPlace()
    {
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], [100, 100], ArrayOrder.Fortran);
        array[3, 4] = 7;
        var view = array.Slice(0, 1, 50, 2).Transpose();
        var memory = array.AsMemory(10, 90);
        foreach (var sink in (StoreSink?[])[_sink, null])
        {
            var payload = new PayloadEncoder(new LoadedCode()).EncodeCalls<(MemmappedArray<int>, Memory<int>)>([Delayed(() => (view, memory))], sink);
            Assert.InRange(payload.Length, 0, 2000);
            var (copy, part) = Decode<(MemmappedArray<int>, Memory<int>)>(payload)[0].Invoke(default);

            Assert.Equal(7, copy[4, 1]);
            Assert.Equal(view.Strides.ToArray(), copy.Strides.ToArray());
            Assert.Equal(MmapMode.ReadWrite, copy.Mode);
            copy[0, 0] = 9;
            Assert.Equal(9, array[1, 0]);
            part.Span[0] = 11;
            Assert.Equal(11, array[10, 0]);
        }

        Assert.Equal(0, _store.WrittenSegments);
    }

    [Fact]
    public void MemmappedArray_ReadOnly_StaysReadOnly()
    {
        Dump(Numbers(100), _folder["a.npy"]);
        var array = Load<MemmappedArray<double>>(_folder["a.npy"], MmapMode.ReadOnly);
        var copy = Run<MemmappedArray<double>>(Encode(Delayed(() => array)))[0];

        Assert.Equal(array[99], copy[99]);
        Assert.Throws<NotSupportedException>(() => copy[0] = 1);
        Assert.Equal(array[5], Run<ReadOnlyMemory<double>>(Encode(Delayed(() => array.AsReadOnlyMemory())))[0].Span[5]);
        var forged = System.Runtime.InteropServices.MemoryMarshal.AsMemory(array.AsReadOnlyMemory());
        Assert.Throws<JoblibException>(() => Run<Memory<double>>(Encode(Delayed(() => forged))));
    }

    [Fact]
    public void MemmappedArray_InMemory_TravelsWithItsElements()
    {
        Dump(Numbers(10), _folder["small.gz"]);
        Dump(Numbers(10_000), _folder["large.gz"]);
        var small = Load<MemmappedArray<double>>(_folder["small.gz"]);
        var large = Load<MemmappedArray<double>>(_folder["large.gz"]);
        var (first, second) = Run<(MemmappedArray<double>, MemmappedArray<double>)>(Encode(Delayed(() => (small, large))))[0];

        Assert.Equal(small.ToArray(), first.ToArray());
        Assert.Equal(large.ToArray(), second.ToArray());
        Assert.Equal(1, _store.WrittenSegments);
    }

    [Fact]
    public void Array_ChangedBetweenRuns_IsNeverAStaleOne()
    {
        var array = Numbers(1_000_000);
        Assert.Equal(array.Sum(), Run<double>(Encode(Delayed(() => array.Sum())))[0]);
        for (var run = 0; run < 5; run++)
        {
            array[run * 199_999] = run;
            using var sink = new StoreSink(_store, Limit);
            using var source = new StoreSource();
            var payload = new PayloadEncoder(new LoadedCode()).EncodeCalls<double>([Delayed(() => array.Sum())], sink);
            Assert.Equal(array.Sum(), ((DecodedCalls<double>)new PayloadDecoder(new LoadedCode()).DecodeCalls(payload, source)).Calls[0].Invoke(default));
        }
    }

    [Fact]
    public void Array_ThatACallWritesTo_IsWholeAgainInTheNextRun()
    {
        foreach (var length in (int[])[1000, 10_000, 3_000_000])
        {
            var array = Numbers(length);
            for (var run = 0; run < 3; run++)
            {
                using var sink = new StoreSink(_store, Limit);
                using var source = new StoreSource();
                var payload = new PayloadEncoder(new LoadedCode()).EncodeCalls<double>([Delayed(Spoil, array)], sink);
                Assert.Equal(array[length / 2], ((DecodedCalls<double>)new PayloadDecoder(new LoadedCode()).DecodeCalls(payload, source)).Calls[0].Invoke(default));
            }
        }

        static double Spoil(double[] array)
        {
            var before = array[array.Length / 2];
            Array.Clear(array);
            return before;
        }
    }

    [Fact]
    public void Results_LargeArrays_ComeBackThroughTheStore()
    {
        var results = new[] { Numbers(10_000), Numbers(20_000) };
        var payload = new PayloadEncoder(new LoadedCode()).EncodeResults<double[]>(results, _sink);
        var copies = new double[2][];
        new PayloadDecoder(new LoadedCode()).DecodeResults(payload, copies.AsSpan(), _source);

        Assert.InRange(payload.Length, 0, 4000);
        Assert.Equal(results, copies);
    }

    [Fact]
    public void Reference_ToWhatIsGone_SaysSo()
    {
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], [1000]);
        var payload = Encode(Delayed(() => array));
        File.WriteAllBytes(_folder["a.npy"], new byte[100]);
        Assert.Equal("docs/errors.md#array-gone", Assert.Throws<JoblibException>(() => Run<MemmappedArray<int>>(payload)).HelpLink);
        File.Delete(_folder["a.npy"]);
        Assert.Equal("docs/errors.md#array-gone", Assert.Throws<JoblibException>(() => Run<MemmappedArray<int>>(payload)).HelpLink);

        var numbers = Numbers(10_000);
        using var sink = new StoreSink(_store, Limit);
        var stored = new PayloadEncoder(new LoadedCode()).EncodeCalls<double>([Delayed(() => numbers.Sum())], sink);
        sink.Dispose();
        _store.Trim(0);
        Assert.Equal("docs/errors.md#array-gone", Assert.Throws<JoblibException>(() => Run<double>(stored)).HelpLink);
        Assert.Throws<JoblibException>(() => new PayloadDecoder(new LoadedCode()).DecodeCalls(stored));
    }

    [Fact]
    public void References_Mutated_EndWithAnErrorOrAValue()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var array = Numbers(2000);
        using var file = MemmappedArray<int>.Create(_folder["a.npy"], [50, 50]);
        var payload = new PayloadEncoder(new LoadedCode()).EncodeResults<object>([array, array.AsMemory(), file], _sink);
        for (var i = 0; i < 5000; i++)
        {
            var mutated = (byte[])payload.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                mutated[random.Next(4, mutated.Length)] = (byte)random.Next(256);
            }

            var results = new object[3];
            try
            {
                using var source = new StoreSource();
                new PayloadDecoder(new LoadedCode()).DecodeResults(mutated, results.AsSpan(), source);
                foreach (var result in results)
                {
                    _ = result switch
                    {
                        double[] numbers => numbers.Sum(),
                        Memory<double> memory => memory.Length == 0 ? 0 : memory.Span[^1],
                        MemmappedArray<int> mapped => mapped.ToArray().Sum(number => (long)number),
                        _ => 0,
                    };
                }
            }
            catch (JoblibException)
            {
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, input {i}: {Convert.ToHexString(mutated)}", exception);
            }
        }
    }

    private static double[] Numbers(int length) => [.. Enumerable.Range(0, length).Select(i => i * 1.5)];

    private static Delayed<T>[] Decode<T>(byte[] payload, IArraySource? source = null) =>
        ((DecodedCalls<T>)new PayloadDecoder(new LoadedCode()).DecodeCalls(payload, source)).Calls;

    private byte[] Encode<T>(params Delayed<T>[] calls) => new PayloadEncoder(new LoadedCode()).EncodeCalls<T>(calls, _sink);

    private T[] Run<T>(byte[] payload) => [.. Decode<T>(payload, _source).Select(call => call.Invoke(default))];
}
