using System.Numerics;
using System.Runtime.InteropServices;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>Files go from numpy to us and back.</summary>
public sealed class NumpyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public NumpyTests() => Assert.SkipWhen(Numpy.Missing is not null, Numpy.Missing ?? "");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Numpy_ReadsOurs()
    {
        Dump(new[] { 1.5, -2 }, _folder["f8.npy"]);
        Dump(new float[,] { { 1, 2 }, { 3, 4 } }, _folder["f4.npy"]);
        Dump(new[] { (Half)1.5 }, _folder["f2.npy"]);
        Dump(new[] { true, false }, _folder["b1.npy"]);
        Dump(new[] { long.MinValue }, _folder["i8.npy"]);
        Dump(new[] { ulong.MaxValue }, _folder["u8.npy"]);
        Dump(new sbyte[] { -3 }, _folder["i1.npy"]);
        Dump(new ushort[] { 65535 }, _folder["u2.npy"]);
        Dump(new[] { new Complex(1, -2) }, _folder["c16.npy"]);
        Dump(new[] { new Point { Id = 7, X = 1.5, Flag = true } }, _folder["record.npy"]);
        Dump(new int[0, 5], _folder["empty.npy"]);
        using (var scalar = MemmappedArray<int>.Create(_folder["scalar.npy"], []))
        {
            scalar[[]] = 8;
        }

        using (var fortran = MemmappedArray<int>.Create(_folder["fortran.npy"], [2, 3], ArrayOrder.Fortran))
        {
            for (var i = 0; i < 6; i++)
            {
                fortran[i / 3, i % 3] = i;
            }

            Dump(fortran.Slice(1, 2, 2, -2), _folder["view.npy"]);
        }

        Dump(new[] { 1, 2, 3 }, _folder["deflated.npy.gz"]);
        Assert.Equal(
            """
            f8 float64 (2,) [1.5, -2.0]
            f4 float32 (2, 2) [[1.0, 2.0], [3.0, 4.0]]
            f2 float16 (1,) [1.5]
            b1 bool (2,) [True, False]
            i8 int64 (1,) [-9223372036854775808]
            u8 uint64 (1,) [18446744073709551615]
            i1 int8 (1,) [-3]
            u2 uint16 (1,) [65535]
            c16 complex128 (1,) [(1-2j)]
            record [7] [1.5] [True] 24
            empty int32 (0, 5) []
            scalar int32 () 8
            fortran int32 (2, 3) [[0, 1, 2], [3, 4, 5]] True
            view int32 (2, 2) [[2, 0], [5, 3]]
            deflated int64 6
            """,
            Numpy.Run(
                """
                import numpy as np, sys, gzip
                def show(name):
                    a = np.load(f'{sys.argv[1]}/{name}.npy')
                    print(name, a.dtype, a.shape, a.tolist())
                for name in 'f8 f4 f2 b1 i8 u8 i1 u2 c16'.split(): show(name)
                r = np.load(f'{sys.argv[1]}/record.npy')
                print('record', r['Id'].tolist(), r['X'].tolist(), r['Flag'].tolist(), r.itemsize)
                show('empty'); show('scalar')
                f = np.load(f'{sys.argv[1]}/fortran.npy', mmap_mode='r')
                print('fortran', f.dtype, f.shape, f.tolist(), f.flags.f_contiguous)
                show('view')
                print('deflated', 'int64', np.load(gzip.open(f'{sys.argv[1]}/deflated.npy.gz')).sum())
                """,
                _folder.Root).Trim());
    }

    [Fact]
    public void Ours_ReadNumpys()
    {
        Numpy.Run(
            """
            import numpy as np, sys
            from numpy.lib import format as npy
            d = sys.argv[1]
            for t in '?bBhHiIqQefd':
                for order in '<>':
                    for shape in ('C', 'F'):
                        a = np.arange(24).reshape(2, 3, 4).astype(np.dtype(t).newbyteorder(order))
                        np.save(f'{d}/{ord(t)}{"L" if order == "<" else "B"}{shape}.npy', np.asfortranarray(a) if shape == 'F' else a)
            np.save(f'{d}/c16.npy', np.array([1+2j], '>c16'))
            np.save(f'{d}/c8.npy', np.array([1+2j], '<c8'))
            np.save(f'{d}/date.npy', np.array(['1970-01-02', 'NaT'], 'M8[ns]'))
            np.save(f'{d}/delta.npy', np.array([5], 'm8[s]'))
            np.save(f'{d}/scalar.npy', np.array(2.5))
            np.save(f'{d}/empty.npy', np.zeros((3, 0), '<i4'))
            np.save(f'{d}/objects.npy', np.array([None, 'a'], object), allow_pickle=True)
            np.save(f'{d}/text.npy', np.array(['a', 'bc']))
            np.save(f'{d}/record.npy', np.array([(7, 1.5, True)], np.dtype([('id', '<i4'), ('x', '<f8'), ('flag', '?')], align=True)))
            np.save(f'{d}/recordB.npy', np.array([(7, 1.5, True)], np.dtype([('id', '>i4'), ('x', '>f8'), ('flag', '?')], align=True)))
            np.save(f'{d}/packed.npy', np.array([(7, 1.5, True)], np.dtype([('id', '<i4'), ('x', '<f8'), ('flag', '?')])))
            np.save(f'{d}/names.npy', np.array([(1,)], [('größe€', '<i4')]))
            for version in ((1, 0), (2, 0), (3, 0)):
                with open(f'{d}/v{version[0]}.npy', 'wb') as f: npy.write_array(f, np.arange(3.0), version)
            """,
            _folder.Root);

        void Numbers<T>(char letter)
            where T : unmanaged, INumberBase<T>
        {
            foreach (var kind in (string[])["LC", "LF", "BC", "BF"])
            {
                var array = Load<T[,,]>(_folder[$"{(int)letter}{kind}.npy"]);
                for (var i = 0; i < 24; i++)
                {
                    Assert.Equal(T.CreateChecked(i), array[i / 12, i / 4 % 3, i % 4]);
                }

                if (kind[0] == 'L' || System.Runtime.CompilerServices.Unsafe.SizeOf<T>() == 1)
                {
                    using var mapped = Load<MemmappedArray<T>>(_folder[$"{(int)letter}{kind}.npy"], MmapMode.ReadOnly);
                    Assert.Equal(T.CreateChecked(23), mapped[1, 2, 3]);
                    Assert.Equal(T.CreateChecked(8), mapped[0, 2, 0]);
                    Assert.Equal(kind[1] == 'C' ? ArrayOrder.C : ArrayOrder.Fortran, mapped.Order);
                }
            }
        }

        Numbers<sbyte>('b');
        Numbers<byte>('B');
        Numbers<short>('h');
        Numbers<ushort>('H');
        Numbers<int>('i');
        Numbers<uint>('I');
        Numbers<long>('q');
        Numbers<ulong>('Q');
        Numbers<Half>('e');
        Numbers<float>('f');
        Numbers<double>('d');
        var bools = Load<bool[,,]>(_folder[$"{(int)'?'}LF.npy"]);
        Assert.False(bools[0, 0, 0]);
        Assert.True(bools[0, 0, 1]);
        Assert.Equal([new Complex(1, 2)], Load<Complex[]>(_folder["c16.npy"]));
        Assert.Equal(2, Load<Single2[]>(_folder["c8.npy"])[0].Imaginary);
        Assert.Equal([86_400_000_000_000, long.MinValue], Load<long[]>(_folder["date.npy"]));
        Assert.Equal([5], Load<long[]>(_folder["delta.npy"]));
        Assert.Equal(2.5, Load<double>(_folder["scalar.npy"]));
        Assert.Equal(2.5, Load<object>(_folder["scalar.npy"]));
        Assert.Empty(Load<int[,]>(_folder["empty.npy"]));
        Assert.Equal("docs/errors.md#array-objects", Assert.Throws<JoblibException>(() => Load<object>(_folder["objects.npy"])).HelpLink);
        Assert.Equal("docs/errors.md#array-elements", Assert.Throws<JoblibException>(() => Load<object>(_folder["text.npy"])).HelpLink);
        Assert.Equal(new Point { Id = 7, X = 1.5, Flag = true }, Load<Point[]>(_folder["record.npy"])[0]);
        Assert.Equal(new Point { Id = 7, X = 1.5, Flag = true }, Load<Point[]>(_folder["recordB.npy"])[0]);
        Assert.Equal(new PackedPoint { Id = 7, X = 1.5, Flag = true }, Load<MemmappedArray<PackedPoint>>(_folder["packed.npy"], MmapMode.ReadOnly)[0]);
        Assert.Throws<JoblibException>(() => Load<Point[]>(_folder["packed.npy"]));
        Assert.Equal(1, Load<int[]>(_folder["names.npy"])[0]);
        foreach (var version in (string[])["v1", "v2", "v3"])
        {
            Assert.Equal([0, 1, 2], Load<double[]>(_folder[version + ".npy"]));
        }
    }

    [Fact]
    public void Segments_AreFilesOfNumpys()
    {
        Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");
        using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root });
        using var lease = store.Put(ArrayView.TryOf(new double[,] { { 1, 2 }, { 3, 4 } })!.Value);

        Assert.Equal("float64 (2, 2) 10.0", Numpy.Run("import numpy as np, sys; a = np.load(sys.argv[1], mmap_mode='r'); print(a.dtype, a.shape, a.sum())", lease.Segment.Path).Trim());
    }

    private record struct Point
    {
        public int Id;
        public double X;
        public bool Flag;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private record struct PackedPoint
    {
        public int Id;
        public double X;
        public bool Flag;
    }

    private readonly record struct Single2(float Real, float Imaginary);
}
