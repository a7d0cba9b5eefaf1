using System.Numerics.Tensors;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

public sealed class MemmappedArrayTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Create_Written_IsReadBackByAnotherMapping()
    {
        using var written = MemmappedArray<double>.Create(_folder["a.npy"], [3, 4]);
        written[1, 2] = 7.5;
        written.Flush();

        using var read = MemmappedArray<double>.Open(_folder["a.npy"]);

        Assert.Equal(7.5, read[1, 2]);
        Assert.Equal(0, read[2, 3]);
        Assert.Equal([3, 4], read.Lengths.ToArray());
        Assert.Equal([4, 1], read.Strides.ToArray());
        Assert.Equal(12, read.Length);
        Assert.Equal(96, read.ByteLength);
        Assert.Equal(MmapMode.ReadOnly, read.Mode);
    }

    [Fact]
    public void ReadOnly_HasNoWayToWrite()
    {
        Dump(new[] { 1, 2, 3 }, _folder["a.npy"]);
        using var array = Load<MemmappedArray<int>>(_folder["a.npy"], MmapMode.ReadOnly);

        Assert.Throws<NotSupportedException>(() => array[0] = 1);
        Assert.Throws<NotSupportedException>(() => array[[0]] = 1);
        Assert.Throws<NotSupportedException>(() => { array.AsSpan(); });
        Assert.Throws<NotSupportedException>(() => { array.AsSpan(0, 1); });
        Assert.Throws<NotSupportedException>(() => array.AsMemory());
        Assert.Throws<NotSupportedException>(() => array.AsMemory(0, 1));
        Assert.Throws<NotSupportedException>(() => { array.AsTensorSpan(); });
        Assert.Throws<NotSupportedException>(() => array.Slice(1, 1)[0] = 1);
        Assert.Throws<NotSupportedException>(() => array.Transpose()[0] = 1);
        Assert.Equal(2, array.AsReadOnlySpan()[1]);
    }

    [Theory]
    [InlineData(MmapMode.ReadWrite, true)]
    [InlineData(MmapMode.Create, true)]
    [InlineData(MmapMode.CopyOnWrite, false)]
    public void Write_InMode_ReachesTheFileOrNot(MmapMode mode, bool reachesTheFile)
    {
        Dump(new[] { 1, 2, 3 }, _folder["a.npy"]);
        using (var array = Load<MemmappedArray<int>>(_folder["a.npy"], mode))
        {
            array.AsSpan()[1] = 20;
            array[2] = 30;
            Assert.Equal([1, 20, 30], array.ToArray());
            array.Flush();
        }

        Assert.Equal(reachesTheFile ? [1, 20, 30] : [1, 2, 3], Load<int[]>(_folder["a.npy"]));
    }

    [Fact]
    public void ReadWrite_FileThatMayNotBeWritten_IsRefused()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Root may write everything.");
        Dump(new[] { 1 }, _folder["a.npy"]);
        File.SetAttributes(_folder["a.npy"], FileAttributes.ReadOnly);

        Assert.Throws<UnauthorizedAccessException>(() => MemmappedArray<int>.Open(_folder["a.npy"], MmapMode.ReadWrite));
        Assert.Equal(1, MemmappedArray<int>.Open(_folder["a.npy"], MmapMode.CopyOnWrite)[0]);
    }

    [Fact]
    public void Disposed_EveryAccess_Throws()
    {
        var array = MemmappedArray<int>.Create(_folder["a.npy"], [4]);
        var view = array.Slice(1, 2);
        var memory = array.AsMemory();
        array.Dispose();

        Assert.Throws<ObjectDisposedException>(() => array[0]);
        Assert.Throws<ObjectDisposedException>(() => array[0] = 1);
        Assert.Throws<ObjectDisposedException>(() => { array.AsReadOnlySpan(); });
        Assert.Throws<ObjectDisposedException>(() => array.AsReadOnlyMemory());
        Assert.Throws<ObjectDisposedException>(() => { array.AsReadOnlyTensorSpan(); });
        Assert.Throws<ObjectDisposedException>(() => array.ToArray());
        Assert.Throws<ObjectDisposedException>(() => array.Slice(0, 1));
        Assert.Throws<ObjectDisposedException>(array.Flush);
        array.Dispose();

        // Views and memory stay good.
        memory.Span[1] = 5;
        Assert.Equal(5, view[0]);
    }

    [Fact]
    public async Task Disposed_WhileOthersRead_IsAnExceptionOrAValue()
    {
        for (var round = 0; round < 200; round++)
        {
            var array = MemmappedArray<long>.Create(_folder[$"{round}.npy"], [4096]);
            using var started = new Barrier(3);
            var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                started.SignalAndWait();
                try
                {
                    while (true)
                    {
                        for (nint i = 0; i < 4096; i++)
                        {
                            Assert.Equal(0, array[i]);
                        }
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            })).ToArray();
            started.SignalAndWait();
            array.Dispose();
            GC.Collect();
            await Task.WhenAll(readers).WaitAsync(Patience.Limit);
        }
    }

    [Fact]
    public void Memory_WithoutItsArray_KeepsTheFileMapped()
    {
        var memory = Enumerable.Range(0, 50).Select(i => Made(i)).ToArray();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        for (var i = 0; i < memory.Length; i++)
        {
            Assert.Equal(i, memory[i].Span[1000]);
        }

        ReadOnlyMemory<int> Made(int number)
        {
            using var array = MemmappedArray<int>.Create(_folder[$"{number}.npy"], [2000]);
            array[1000] = number;
            return array.AsReadOnlyMemory();
        }
    }

    // Spans taken before are promised to stay good. Nothing is read here: if they did not, the process would end.
    [Fact]
    public void Disposed_ButReachable_StaysMapped()
    {
        var path = _folder["kept.npy"];
        var array = Made();
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Contains("kept.npy", File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        GC.KeepAlive(array);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        MemmappedArray<int> Made()
        {
            var array = MemmappedArray<int>.Create(path, [2000]);
            array.Dispose();
            return array;
        }
    }

    [Fact]
    public void Unreachable_IsUnmapped()
    {
        var path = _folder["gone.npy"];
        Map();
        for (var i = 0; i < 10 && IsMapped(); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(IsMapped());

        bool IsMapped() => File.ReadAllText("/proc/self/maps").Contains("gone.npy", StringComparison.Ordinal);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void Map()
        {
            var array = MemmappedArray<int>.Create(path, [2000]);
            Assert.True(IsMapped());
            array.Dispose();
        }
    }

    [Fact]
    public void TensorSpan_OfViews_SeesTheSameElements()
    {
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], [4, 6]);
        for (var i = 0; i < 24; i++)
        {
            array.AsSpan()[i] = i;
        }

        var part = array.Slice(0, 1, 2).Slice(1, 0, 3, 2).AsReadOnlyTensorSpan();
        Assert.Equal([2, 3], part.Lengths.ToArray());
        Assert.Equal(6 + 2, part[0, 1]);
        Assert.Equal(12 + 4, part[1, 2]);
        var turned = array.Transpose().AsTensorSpan();
        turned[5, 3] = -1;
        Assert.Equal(-1, array[3, 5]);
        Assert.Equal(Tensor.Sum(array.AsReadOnlyTensorSpan()), array.ToArray().Sum());
    }

    [Fact]
    public void Spans_WhereTheyCannotBe_AreRefused()
    {
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], [4, 6]);

        Assert.Throws<InvalidOperationException>(() => { array.Slice(1, 0, 2).AsReadOnlySpan(); });
        Assert.Throws<InvalidOperationException>(() => { array.Slice(0, 3, 4, -1).AsReadOnlyTensorSpan(); });
        Assert.Throws<InvalidOperationException>(() => array.Slice(1, 0, 2).Reshape(8));
        Assert.Throws<ArgumentOutOfRangeException>(() => { array.AsReadOnlySpan(20, 5); });
        Assert.Throws<ArgumentOutOfRangeException>(() => array[4, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[0, -1]);
        Assert.Throws<ArgumentException>(() => array[0]);
        Assert.Throws<ArgumentException>(() => array[0, 0, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Slice(2, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Slice(0, 3, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Slice(0, nint.MaxValue, nint.MaxValue, nint.MaxValue));
        Assert.Throws<ArgumentException>(() => array.Transpose(0, 0));
        Assert.Throws<ArgumentException>(() => array.Reshape(5));
    }

    [Fact]
    public void Raw_OffsetAndShape_AreNumpysMemmap()
    {
        File.WriteAllBytes(_folder["raw"], [0xFF, 1, 0, 2, 0, 3, 0, 4, 0]);

        using var all = MemmappedArray<short>.OpenRaw(_folder["raw"], offset: 1);
        using var grid = MemmappedArray<short>.OpenRaw(_folder["raw"], offset: 1, lengths: [2, 2], order: ArrayOrder.Fortran);

        Assert.Equal([1, 2, 3, 4], all.ToArray());
        Assert.Equal(3, grid[0, 1]);
        Assert.Throws<JoblibException>(() => MemmappedArray<short>.OpenRaw(_folder["raw"], offset: 2));
        Assert.Throws<JoblibException>(() => MemmappedArray<short>.OpenRaw(_folder["raw"], offset: 1, lengths: [5]));
        Assert.Throws<ArgumentException>(() => MemmappedArray<short>.OpenRaw(_folder["new"], MmapMode.Create));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemmappedArray<short>.OpenRaw(_folder["raw"], offset: long.MaxValue, lengths: [5]));
        using var made = MemmappedArray<short>.OpenRaw(_folder["new"], MmapMode.Create, 10, [5]);
        made[4] = 9;
        Assert.Equal(20, new FileInfo(_folder["new"]).Length);
        Assert.Equal(9, File.ReadAllBytes(_folder["new"])[18]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0, 5)]
    [InlineData(5, 0, 3)]
    public void Empty_AnyShape_Works(params int[] lengths)
    {
        nint[] shape = [.. lengths.Select(length => (nint)length)];
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], shape);
        using var read = MemmappedArray<int>.Open(_folder["a.npy"]);

        Assert.Equal(0, read.Length);
        Assert.Empty(read.ToArray());
        Assert.True(array.AsSpan().IsEmpty);
        Assert.True(read.AsReadOnlyMemory().IsEmpty);
        Assert.Equal(0, (int)read.AsReadOnlyTensorSpan().FlattenedLength);
        Assert.Equal(shape, read.Lengths.ToArray());
    }

    [Fact]
    public void WithoutDimensions_IsOneElement()
    {
        using var array = MemmappedArray<int>.Create(_folder["a.npy"], []);
        array[[]] = 8;

        Assert.Equal(8, Load<MemmappedArray<int>>(_folder["a.npy"], MmapMode.ReadOnly)[[]]);
        Assert.Equal(8, Load<int>(_folder["a.npy"]));
        Assert.Equal([8], array.ToArray());
    }

    [Fact]
    public void Create_ShapesThatCannotBe_AreRefusedBeforeAFileIsMade()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MemmappedArray<int>.Create(_folder["a.npy"], [-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemmappedArray<int>.Create(_folder["a.npy"], [nint.MaxValue]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemmappedArray<int>.Create(_folder["a.npy"], [nint.MaxValue / 2, 3, 0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemmappedArray<int>.Create(_folder["a.npy"], new nint[65]));
        Assert.Throws<ArgumentException>(() => MemmappedArray<nint>.Create(_folder["a.npy"], [1]));
        Assert.False(File.Exists(_folder["a.npy"]));
    }

    [Fact]
    public void Create_MoreThanAFileCanHave_LeavesNothing()
    {
        Assert.Throws<IOException>(() => MemmappedArray<byte>.Create(_folder["a.npy"], [unchecked((nint)(1L << 60))]));
        Assert.False(File.Exists(_folder["a.npy"]));
    }

    [Fact]
    public void Create_MoreThanTheDiskHas_LeavesNothing()
    {
        using var disk = Code.SmallDisk.TryMount(1 << 20);
        Assert.SkipWhen(disk is null, "A small file system cannot be mounted here.");
        var path = Path.Combine(disk.Directory, "a.npy");

        Assert.Throws<IOException>(() => MemmappedArray<byte>.Create(path, [2 << 20]));
        Assert.False(File.Exists(path));
        using var array = MemmappedArray<byte>.Create(path, [1 << 19]);
        array.AsSpan().Fill(1);
    }

    [Fact]
    public void Large_MoreThan2To31Elements_AreReached()
    {
        var elements = ((nint)1 << 31) + 4096;
        using (var file = File.Create(_folder["large"]))
        {
            // Sparse: it takes no space.
            file.SetLength(elements);
        }

        using var array = MemmappedArray<byte>.OpenRaw(_folder["large"], MmapMode.ReadWrite);
        array[elements - 1] = 7;
        array[elements - 4096] = 6;

        Assert.Equal((long)elements, array.Length);
        Assert.Equal(7, array.Slice(elements - 10, 10)[9]);
        Assert.Equal(6, array.AsReadOnlySpan(elements - 4096, 4096)[0]);
        Assert.Equal(7, array.AsReadOnlyTensorSpan()[elements - 1]);
        Assert.Equal(7, array.Reshape(2, elements / 2)[1, (elements / 2) - 1]);
        Assert.Throws<InvalidOperationException>(() => { array.AsReadOnlySpan(); });
        Assert.Throws<InvalidOperationException>(() => array.ToArray());
    }
}
