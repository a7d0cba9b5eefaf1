using Orleans.Joblib.Tests.Processes;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Large arrays on their way to worker processes of this host, and back.</summary>
public sealed class ProcessArrayTests : IDisposable
{
    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public ProcessArrayTests() => Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");

    public static TheoryData<string> Backends => ["loky", "multiprocessing"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Backends))]
    public void Run_LargeArgumentsAndCaptures_ArriveAsTheyAre(string backend)
    {
        var small = Numbers(100);
        var large = Numbers(300_000);
        var huge = Numbers(6_000_000);
        var grid = new float[500, 700];
        grid[3, 4] = 5;
        var memory = large.AsMemory(1000, 200_000);
        using var parallel = Parallel(nJobs: 2, backend: backend, tempFolder: _folder.Root);
        for (var run = 0; run < 3; run++)
        {
            // Never a stale one.
            large[17]++;
            huge[17]--;
            var sums = parallel.Run(Enumerable.Range(0, 6).Select(i => i % 2 == 0
                ? Delayed(() => small.Sum() + large.Sum() + huge.Sum() + grid[3, 4] + memory.Span[7])
                : Delayed(static (double[] a, double[] b, double[] c, float[,] d, Memory<double> e) => a.Sum() + b.Sum() + c.Sum() + d[3, 4] + e.Span[7], small, large, huge, grid, memory)));

            Assert.All(sums, sum => Assert.Equal(small.Sum() + large.Sum() + huge.Sum() + 5 + large[1007], sum));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Run_LargeResults_AreTheCallersOwn(string backend)
    {
        using var parallel = Parallel(nJobs: 2, backend: backend, tempFolder: _folder.Root);
        var results = parallel.Run(Enumerable.Range(0, 8).Select(i => Delayed(Numbers, i % 2 == 0 ? 200_000 : 5_000_000)));

        for (var i = 0; i < results.Length; i++)
        {
            Assert.True(Numbers(i % 2 == 0 ? 200_000 : 5_000_000).AsSpan().SequenceEqual(results[i]));
            results[i][0] = i + 1;
        }

        Assert.Equal(Enumerable.Range(1, 8).Select(i => (double)i), results.Select(result => result[0]));
    }

    [Fact]
    public void Run_ResultsOfEveryKind_ComeBack()
    {
        var array = Numbers(400_000);
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root);
        var results = parallel.Run(
        [
            Delayed<object, object>(static x => x, array),
            Delayed<object>(static () => new float[600, 700]),
            Delayed<object>(static () => new ReadOnlyMemory<double>(Numbers(300_000))),
            Delayed<object>(static () => new List<double[]> { Numbers(200_000), Numbers(200_001) }),
            Delayed<object>(static () => new double[300_000][]),
            Delayed<object, object>(static x => ((double[])x).AsMemory(5, 10), array),
        ]);

        Assert.Equal(array, (double[])results[0]);
        Assert.Equal(600 * 700, ((float[,])results[1]).Length);
        Assert.Equal(Numbers(300_000)[^1], ((ReadOnlyMemory<double>)results[2]).Span[^1]);
        Assert.Equal([200_000, 200_001], ((List<double[]>)results[3]).Select(part => part.Length));
        Assert.Equal(300_000, ((double[][])results[4]).Length);
        Assert.Equal(array[5..15], ((Memory<double>)results[5]).ToArray());
    }

    [Fact]
    public void Run_MaxNbytesNever_PutsNothingIntoTheStore()
    {
        var array = Numbers(400_000);
        var folder = _folder.Root;
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: folder, maxNbytes: MaxNbytes.Never);
        var results = parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(() => (array.Sum(), Files(folder), array))));

        Assert.All(results, result => Assert.Equal((array.Sum(), 0), (result.Item1, result.Item2)));
        Assert.All(results, result => Assert.Equal(array, result.array));
    }

    [Fact]
    public void Run_OneArrayInManyCalls_IsOneFile()
    {
        var array = Numbers(400_000);
        var folder = _folder.Root;
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: folder, maxNbytes: 1000, batchSize: 1);

        Assert.All(parallel.Run(Enumerable.Range(0, 50).Select(i => Delayed(() => array[i] < 0 ? 0 : Files(folder)))), files => Assert.Equal(1, files));
    }

    [Fact]
    public void Run_TwoLoopsAtOnceWithOneArray_ShareIt()
    {
        var array = Numbers(400_000);
        var folder = _folder.Root;
        using var together = new Barrier(2);
        var files = new int[2];
        Patience.Within(() => System.Threading.Tasks.Parallel.For(0, 2, loop =>
        {
            using var parallel = Parallel(nJobs: 2, backend: "multiprocessing", tempFolder: folder, batchSize: 1);
            together.SignalAndWait();
            files[loop] = parallel.Run(Enumerable.Range(0, 8).Select(i => Delayed(() => array[i] < 0 ? 0 : Files(folder)))).Max();
        }));

        Assert.Equal([1, 1], files);
    }

    [Fact]
    public void Run_ThousandsOfArrays_AllArriveAndAllComeBack()
    {
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root, maxNbytes: 1000);
        var results = parallel.Run(Enumerable.Range(0, 4000).Select(i => Delayed(static (int[] array) => Array.ConvertAll(array, x => -x), Enumerable.Range(i, 300).ToArray())));

        Assert.All(results.Index(), result => Assert.Equal(-result.Index - 299, result.Item[^1]));
    }

    [Fact]
    public void Run_OverEverNewArrays_KeepsFewOfThem()
    {
        const int Arrays = 200;
        var folder = _folder.Root;
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: folder, maxNbytes: 1000, batchSize: 1);
        var most = parallel.Run(Enumerable.Range(0, Arrays).Select(i =>
        {
            if (i % 10 == 0)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            return Delayed(static (int[] array, string folder) => array[0] < 0 ? 0 : Files(folder), Enumerable.Range(i, 5000).ToArray(), folder);
        })).Max();

        Assert.InRange(most, 1, Arrays / 2);
    }

    [Fact]
    public void Run_MemmappedArray_TravelsAsItsPlaceInItsMode()
    {
        using (var made = MemmappedArray<int>.Create(_folder["a.npy"], [1000, 1000]))
        {
            made[7, 8] = 78;
        }

        var path = _folder["a.npy"];
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root, maxNbytes: MaxNbytes.Never);
        foreach (var mode in (MmapMode[])[MmapMode.ReadOnly, MmapMode.ReadWrite, MmapMode.CopyOnWrite])
        {
            using var array = Load<MemmappedArray<int>>(path, mode);
            var seen = parallel.Run(
            [
                Delayed(() => (array.Mode, array.Path, array[7, 8])),
                Delayed(static view => (view.Mode, view.Path, view[0, 1]), array.Slice(0, 7, 8).Slice(1, 7, 100)),
            ]);
            Assert.All(seen, result => Assert.Equal((mode, path, 78), result));
        }

        // A map of the user's that a call returns is still that map.
        using var read = Load<MemmappedArray<int>>(path, MmapMode.ReadOnly);
        using var returned = parallel.Run([Delayed(() => read), Delayed(() => read)])[1];
        Assert.Equal((path, 78), (returned.Path, returned[7, 8]));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Run_ReadWriteMemmappedArray_IsWrittenInPlace(string backend)
    {
        using var output = MemmappedArray<double>.Create(_folder["out.npy"], [64, 5000]);
        using var parallel = Parallel(nJobs: 2, backend: backend, tempFolder: _folder.Root, batchSize: 4);
        parallel.Run(Enumerable.Range(0, 64).Select(i => Delayed(static (MemmappedArray<double> row, int i) => row.AsSpan().Fill(i), output.Pick(i), i)));

        Assert.All(Enumerable.Range(0, 64), i => Assert.Equal((i, i), (output[i, 0], output[i, 4999])));
    }

    [Fact]
    public void Run_MmapModes_OfArraysInMemory()
    {
        Dump(Numbers(300_000), _folder["a.gz"]);
        var array = Load<MemmappedArray<double>>(_folder["a.gz"]);
        foreach (var mode in (MmapMode[])[MmapMode.ReadOnly, MmapMode.ReadWrite, MmapMode.Create, MmapMode.CopyOnWrite])
        {
            using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root, mmapMode: mode);
            var memory = new ReadOnlyMemory<double>(Numbers(300_000));
            var seen = parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() =>
            {
                // What is written stays with the call.
                array[3] = -1;
                return memory.Span[3] + array[4];
            })));

            Assert.All(seen, sum => Assert.Equal(Numbers(5)[3] + Numbers(5)[4], sum));
            Assert.Equal(Numbers(5)[3], array[3]);
        }
    }

    [Fact]
    public void Run_TempFolderThatCannotBeUsed_FailsBeforeAnyCall()
    {
        File.WriteAllText(_folder["file"], "");
        var read = false;
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder["file"]);
        var refusal = Assert.Throws<JoblibException>(() => parallel.Run(Calls()));
        Assert.Equal("docs/errors.md#array-folder", refusal.HelpLink);
        Assert.False(read);

        IEnumerable<Delayed<int>> Calls()
        {
            read = true;
            yield return Delayed(() => 1);
        }
    }

    [Fact]
    public void Reference_OutsideOfTheRunsFolders_IsRefusedByBothSides()
    {
        using var elsewhere = new TempFolder();
        using var store = new ArrayStore([elsewhere.Root]);
        var array = Numbers(10_000);
        using var sink = new StoreSink(store, 1000);
        var calls = new PayloadEncoder(NoReferences.Instance).EncodeCalls<double>([Delayed(static (double[] a) => a[0], array)], sink);
        var results = new PayloadEncoder(NoReferences.Instance).EncodeResults<double[]>([array], sink);
        var settings = new ArraySettings(1000, MmapMode.ReadOnly, [_folder.Root]);

        using var worker = new StoreSource(settings);
        var refusedThere = Assert.Throws<JoblibException>(() => new PayloadDecoder(new OwnCode()).DecodeCalls(calls, worker));
        var refusedHere = Assert.Throws<JoblibException>(() => new PayloadDecoder(new OwnCode()).DecodeResults(results, new double[1][].AsSpan(), new ResultSource(settings)));
        Assert.All([refusedThere, refusedHere], refusal => Assert.Equal("docs/errors.md#array-path", refusal.HelpLink));
        Assert.All([refusedThere, refusedHere], refusal => Assert.Contains(elsewhere.Root, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_Ended_LeavesNothingBehindAfterAWhile()
    {
        var array = Numbers(6_000_000);
        using (var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root))
        {
            Assert.Equal(2, parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(() => array.Select(x => x + 1).ToArray()))).Length);
        }

        Patience.Until(() => Files(_folder.Root) == 0, "the run's arrays to go");
    }

    [Theory]
    [InlineData(Crash.Kill)]
    [InlineData(Crash.Segfault)]
    public void Run_WorkerDiesAfterItWroteAResult_LeavesNothingAndGivesTheResult(Crash crash)
    {
        var folder = _folder.Root;
        var marker = _folder["marker"];
        using (var parallel = Parallel(nJobs: 2, backend: "multiprocessing", tempFolder: folder, batchSize: 1))
        {
            var results = parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(() =>
            {
                if (i == 2 && !File.Exists(marker))
                {
                    File.WriteAllText(marker, "");

                    // What a worker does with a large result, up to where it would send it.
                    ArrayStores.Of([folder]).PutUnshared(ArrayView.TryOf(Numbers(400_000))!.Value);
                    Crashes.Make(crash);
                }

                return Numbers(300_000);
            })));
            Assert.All(results, result => Assert.Equal(Numbers(300_000)[^1], result[^1]));
        }

        Assert.True(File.Exists(marker));
        Patience.Until(() => Files(folder) == 0, "what the worker left to go");
    }

    [Fact]
    public void Run_Fails_LeavesNothingBehind()
    {
        var array = Numbers(6_000_000);
        using (var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root, batchSize: 1))
        {
            Assert.Throws<InvalidOperationException>(() => parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => i == 5 ? throw new InvalidOperationException() : array.ToArray()))));

            // Workers that were in the middle of a call give what they have mapped back.
            Assert.Equal([array[1], array[1]], parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => array[1]))));
        }

        Patience.Until(() => Files(_folder.Root) == 0, "the run's arrays to go");
    }

    [Fact]
    public void Run_CallsSpoilTheirArray_TheNextRunSeesItWhole()
    {
        var array = Numbers(6_000_000);
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root);
        for (var run = 0; run < 4; run++)
        {
            var seen = parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
            {
                var sum = array[(i * 3_000_000)..((i + 1) * 3_000_000)].Sum();
                array.AsSpan(i * 3_000_000, 3_000_000).Clear();
                return sum;
            })));
            Assert.Equal([array[..3_000_000].Sum(), array[3_000_000..].Sum()], seen);
        }
    }

    [Fact]
    public void Run_AnotherArrayAfterTheFirst_OverwritesItsSegment()
    {
        var store = ArrayStores.Of([_folder.Root]);
        var array = Numbers(6_000_000);
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root);
        for (var run = 0; run < 6; run++)
        {
            array[run] = -run;
            Assert.All(parallel.Run(Enumerable.Range(0, 4).Select(_ => Delayed(() => array.Sum()))), sum => Assert.Equal(array.Sum(), sum));
        }

        // Workers still have the segment of the run before mapped: they let go of it when it is wanted.
        Assert.True(store.RecycledSegments > 0, $"{store.WrittenSegments} segments were written, none into another's pages.");
    }

    [Fact]
    public void Run_ArrayKeptByACall_NeverChangesUnderIt()
    {
        var array = Numbers(6_000_000);
        using var parallel = Parallel(nJobs: 2, backend: "multiprocessing", tempFolder: _folder.Root);
        parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => Keep(array))));
        for (var run = 0; run < 3; run++)
        {
            array.AsSpan().Fill(run);
            parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => array[0])));
        }

        Assert.All(parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(static () => _kept?.Sum()))), sum => Assert.True(sum is null || sum == Numbers(6_000_000).Sum()));
    }

    [Fact]
    public void Run_WorkersAreNotReplacedForWhatTheyMap()
    {
        using (var made = MemmappedArray<byte>.Create(_folder["a.npy"], [400 << 20]))
        {
            made.AsSpan().Fill(1);
        }

        using var array = Load<MemmappedArray<byte>>(_folder["a.npy"], MmapMode.ReadOnly);
        using var parallel = Parallel(nJobs: 2, backend: "multiprocessing", batchSize: 1);
        int[] Processes() => [.. parallel.Run(Enumerable.Range(0, 8).Select(_ => Delayed(() =>
        {
            // Longer than a worker's memory is looked at.
            Thread.Sleep(300);
            return Sum(array.AsReadOnlySpan()) == 400 << 20 ? Environment.ProcessId : 0;
        }))).Distinct().Order()];
        var before = Processes();

        Assert.Equal(2, before.Length);
        Assert.Equal(before, Processes());
    }

    [Theory]
    [InlineData("loky", 9)]
    [InlineData("loky", 15)]
    [InlineData("multiprocessing", 9)]
    public async Task Program_Killed_LeavesNoArrays(string backend, int signal)
    {
        using var program = ChildProcess.Start("LoopClientProgram", [backend, "arrays"], new Dictionary<string, string?> { ["JOBLIB_TEMP_FOLDER"] = _folder.Root });
        await program.LineAsync("call ");
        Patience.Until(() => program.Output.Split('\n').Count(line => line.StartsWith("call ", StringComparison.Ordinal)) == 2, "both calls to start");
        Assert.Equal(2, Files(_folder.Root));
        program.Signal(signal);
        await program.ExitAsync();

        Patience.Until(() => Files(_folder.Root) == 0, "the program's arrays to go");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Program_Ended_LeavesNoFolder(string backend)
    {
        using var program = ChildProcess.Start("LoopClientProgram", [backend, "arrays-end"], new Dictionary<string, string?> { ["JOBLIB_TEMP_FOLDER"] = _folder.Root });
        Assert.Equal(0, await program.ExitAsync());

        Patience.Until(() => !Directory.EnumerateDirectories(_folder.Root).Any(), "the folder to go");
    }

    [Fact]
    public void Run_FullFolder_SaysSoAndLeavesNothing()
    {
        using var disk = Code.SmallDisk.TryMount(8 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        var array = Numbers(2_000_000);
        using (var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: disk.Directory))
        {
            foreach (var attempt in (Func<object>[])[() => parallel.Run([Delayed(() => array[0]), Delayed(() => array[1])]), () => parallel.Run([Delayed(Numbers, 2_000_000), Delayed(Numbers, 2_000_001)])])
            {
                var refusal = Assert.Throws<JoblibException>(attempt);
                Assert.Equal("docs/errors.md#array-store-full", refusal.HelpLink);
            }

            Assert.Equal([3.0, 3.0], parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => 3.0))));
        }

        Patience.Until(() => Files(disk.Directory) == 0, "all to go");
    }

    [Fact]
    public async Task SharedMemory_FullInMidProgram_GoesOnOnDisk()
    {
        // Just enough to be taken for the store.
        using var host = MountNamespace.TryCreate(out var reason, sharedMemoryMegabytes: 2048);
        Assert.SkipWhen(host is null, reason);
        using var program = ChildProcess.Start("LoopClientProgram", ["loky", "arrays-asked"], prefix: host.Prefix);
        program.Say("go");
        Assert.Equal("sum 1 10", await program.LineAsync("sum 1"));
        Assert.NotEmpty(host.Segments);
        Assert.Empty(OnDisk());

        // What is kept for the next run would be overwritten by it.
        Patience.Until(() => host.Segments.Length == 0, "the first run's arrays to go");
        host.ResizeSharedMemory(megabytes: 64);
        host.FillSharedMemory();
        for (var run = 2; run < 5; run++)
        {
            program.Say("go");
            Assert.Equal($"sum {run} {(4 * run) + 6}", await program.LineAsync($"sum {run}"));
        }

        Assert.NotEmpty(OnDisk());
        program.Say("");
        Assert.Equal(0, await program.ExitAsync());
        Patience.Until(() => OnDisk().Length == 0 && host.Segments.Length == 0, "the program's arrays to go");

        string[] OnDisk() => Directory.Exists($"{host.Root}/tmp") ? Directory.GetFiles($"{host.Root}/tmp", "*.npy", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }) : [];
    }

    [Fact]
    public void Run_MemmappedArrayOfMoreThan2To31Elements_IsReadAndWrittenByItsWorkers()
    {
        const long Count = (1L << 31) + 1000;
        using (var file = File.OpenHandle(_folder["sparse"], FileMode.CreateNew, FileAccess.Write))
        {
            // Pages that nobody writes to take no room.
            RandomAccess.SetLength(file, Count);
        }

        using var array = MemmappedArray<byte>.OpenRaw(_folder["sparse"], MmapMode.ReadWrite);
        Assert.Equal(Count, array.Length);
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root, batchSize: 1);
        long[] places = [0, 1, int.MaxValue, (long)int.MaxValue + 1, (1L << 31) + 500, Count - 1];
        parallel.Run(places.Select((place, i) => Delayed(() => array[(nint)place] = (byte)(i + 1))));

        Assert.Equal(places.Select((_, i) => i + 1), places.Select(place => (int)array[(nint)place]));
        var length = (nint)array.Length;
        var end = array.Slice(0, length - 10, 10);
        Assert.Equal([(Count, places.Length, 10)], parallel.Run([Delayed(() => (array.Length, (int)end[9], (int)end.Length))]));
    }

    [Fact]
    public void Run_ArrayOfMoreThan2GiB_ArrivesWhole()
    {
        const int Length = (1 << 28) + 4096;
        Assert.SkipUnless(new DriveInfo(_folder.Root).AvailableFreeSpace > 6L << 30, "There is no room for it.");
        var array = new long[Length];
        array[0] = 1;
        array[^1] = 2;
        array[(1 << 28) - 1] = 3;
        array[1 << 28] = 4;
        using var parallel = Parallel(nJobs: 2, backend: "loky", tempFolder: _folder.Root);
        var seen = parallel.Run(Enumerable.Range(0, 2).Select(_ => Delayed(() => (array.Length, array[0], array[^1], array[(1 << 28) - 1], array[1 << 28]))));

        Assert.All(seen, one => Assert.Equal((Length, 1, 2, 3, 4), one));
    }

    private static double[]? _kept;

    private static bool Keep(double[] array)
    {
        _kept = array;
        return true;
    }

    private static int Files(string root) => Directory.EnumerateFiles(root, "*.npy", SearchOption.AllDirectories).Count() + Directory.EnumerateFiles(root, "w-*", SearchOption.AllDirectories).Count();

    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        foreach (var one in bytes)
        {
            sum += one;
        }

        return sum;
    }

    private static double[] Numbers(int length)
    {
        var numbers = new double[length];
        for (var i = 0; i < length; i++)
        {
            numbers[i] = i * 1.5;
        }

        return numbers;
    }
}
