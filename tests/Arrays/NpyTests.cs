using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

public sealed class NpyTests(ITestOutputHelper output) : IDisposable
{
    private readonly TempFolder _folder = new();

    private enum Colour : ushort
    {
        Red = 1,
        Blue = 7,
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Arrays_OfEveryElement_ComeBack()
    {
        Check(new[] { true, false });
        Check(new sbyte[] { -1, 2 });
        Check(new byte[] { 1, 255 });
        Check(new short[] { -1, 2 });
        Check(new ushort[] { 1, 65535 });
        Check(new[] { 'a', 'ä' });
        Check(new[] { int.MinValue, 2 });
        Check(new uint[] { 1, 2 });
        Check(new[] { long.MinValue, 2 });
        Check(new ulong[] { 1, ulong.MaxValue });
        Check(new[] { (Half)1.5, (Half)2 });
        Check(new[] { 1.5f, float.NaN });
        Check(new[] { 1.5, double.NegativeInfinity });
        Check(new[] { new Complex(1, 2), new Complex(3, 4) });
        Check(new[] { Colour.Red, Colour.Blue });
        Check(new[] { Guid.NewGuid() });
        Check(new[] { 1.23m });
        Check(new[] { new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc) });
        Check(new[] { new Mixed { Flag = true, Number = 3, Inner = new Pair { A = 1, B = 2.5 } } });
        Check(Array.Empty<double>());

        void Check<T>(T[] array)
        {
            Dump(array, _folder["a.npy"]);
            Assert.Equal(array, Load<T[]>(_folder["a.npy"]));
        }
    }

    [Fact]
    public void Arrays_OfEveryRank_ComeBack()
    {
        var three = new int[2, 3, 4];
        for (var i = 0; i < three.Length; i++)
        {
            three[i / 12, i / 4 % 3, i % 4] = i;
        }

        Dump(three, _folder["a.npy"]);
        Assert.Equal(three, Load<int[,,]>(_folder["a.npy"]));
        Assert.Equal(three, Assert.IsType<int[,,]>(Load<object>(_folder["a.npy"])));
        Assert.Equal(23, Load<MemmappedArray<int>>(_folder["a.npy"], MmapMode.ReadOnly)[1, 2, 3]);
        Assert.Throws<JoblibException>(() => Load<int[]>(_folder["a.npy"]));
        Assert.Throws<JoblibException>(() => Load<int[,]>(_folder["a.npy"]));
        Assert.Throws<JoblibException>(() => Load<float[,,]>(_folder["a.npy"]));
        Assert.Throws<InvalidCastException>(() => Load<string>(_folder["a.npy"]));
    }

    [Fact]
    public void Header_IsNumpysOwn()
    {
        Dump(new double[3, 2], _folder["a.npy"]);

        var bytes = File.ReadAllBytes(_folder["a.npy"]);
        Assert.Equal("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", Encoding.Latin1.GetString(bytes, 10, 118).TrimEnd());
        Assert.Equal(128 + 48, bytes.Length);
        Assert.Equal([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0], bytes[..8]);
    }

    [Theory]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': 3, }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (1.5,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': 0, 'shape': (3,), }")]
    [InlineData("{'descr': '<f8', 'shape': (3,), }")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1, }")]
    [InlineData("{'descr': '<q9', 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': '', 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': 8, 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': [], 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': '|V0', 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': '|V99999999999', 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("{'descr': [('a', '<f8', (1000, 1000, 1000))], 'fortran_order': False, 'shape': (3,), }")]
    [InlineData("((((((((((((((((((((((((((((((((((((((((((((((((((((((")]
    [InlineData("__import__('os').system('true')")]
    [InlineData("")]
    public void Load_HeaderThatLies_IsRefusedBeforeMemoryIsTaken(string header)
    {
        File.WriteAllBytes(_folder["a.npy"], WithHeader(header, new byte[24]));
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<JoblibException>(() => Load<double[]>(_folder["a.npy"]));
        Assert.Throws<JoblibException>(() => Load<MemmappedArray<double>>(_folder["a.npy"]));
        Assert.Throws<JoblibException>(() => Load<MemmappedArray<double>>(_folder["a.npy"], MmapMode.ReadOnly));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }

    [Theory]
    [InlineData("|O", "array-objects")]
    [InlineData("<U5", "array-elements")]
    [InlineData("|S5", "array-elements")]
    [InlineData("<f16", "array-elements")]
    [InlineData("<c32", "array-elements")]
    public void Load_ElementsWithoutACSharpType_SaysWhatToDo(string dtype, string heading)
    {
        File.WriteAllBytes(_folder["a.npy"], WithHeader($"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (0,), }}", []));

        Assert.Equal($"docs/errors.md#{heading}", Assert.Throws<JoblibException>(() => Load<object>(_folder["a.npy"])).HelpLink);
    }

    [Fact]
    public void Load_OtherByteOrder_IsConvertedAndNotMapped()
    {
        File.WriteAllBytes(_folder["a.npy"], WithHeader("{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }", [0, 0, 0, 1, 0, 0, 1, 0]));

        Assert.Equal([1, 256], Load<int[]>(_folder["a.npy"]));
        Assert.Equal([1, 256], Load<MemmappedArray<int>>(_folder["a.npy"]).ToArray());
        Assert.Equal("docs/errors.md#array-byte-order", Assert.Throws<JoblibException>(() => Load<MemmappedArray<int>>(_folder["a.npy"], MmapMode.ReadOnly)).HelpLink);
    }

    [Fact]
    public void Load_FileThatIsNone_IsRefused()
    {
        foreach (var content in (byte[][])[[], [1], [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'], [0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .. Truncated()])
        {
            File.WriteAllBytes(_folder["a.npy"], content);
            Assert.Throws<JoblibException>(() => Load<double[]>(_folder["a.npy"]));
            Assert.Throws<JoblibException>(() => Load<MemmappedArray<double>>(_folder["a.npy"], MmapMode.ReadOnly));
        }

        static IEnumerable<byte[]> Truncated()
        {
            using var stream = new MemoryStream();
            Dump(new double[5], stream);
            var whole = stream.ToArray();
            return Enumerable.Range(0, whole.Length).Select(length => whole[..length]);
        }
    }

    [Fact]
    public void Load_MutatedFiles_EndWithAnErrorOrAnArray()
    {
        var inputs = int.Parse(Environment.GetEnvironmentVariable("JOBLIB_FUZZ_INPUTS") ?? "20000", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("JOBLIB_FUZZ_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"JOBLIB_FUZZ_SEED={seed} JOBLIB_FUZZ_INPUTS={inputs}");
        var random = new Random(seed);
        byte[][] corpus =
        [
            WithHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", new byte[24]),
            WithHeader("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", new byte[12]),
            WithHeader("{'descr': [('a', '<i4'), ('', '|V4'), ('b', [('c', '>f8'), ('d', '|b1', (2, 2))])], 'fortran_order': False, 'shape': (), }", new byte[40]),
            WithHeader("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1L, 1), }", new byte[8], version: 2),
            WithHeader("{'descr': '<c16', 'fortran_order': False, 'shape': (0,), }", [], version: 3),
        ];
        var accepted = 0;
        for (var i = 0; i < inputs; i++)
        {
            var file = (byte[])corpus[random.Next(corpus.Length)].Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(Math.Min(file.Length, 140));
                switch (random.Next(4))
                {
                    case 0:
                        file[at] = (byte)random.Next(256);
                        break;

                    case 1:
                        file[at] = (byte)"0123456789()[]{},:' \\LTFN<>|fiub"[random.Next(32)];
                        break;

                    case 2:
                        var other = corpus[random.Next(corpus.Length)];
                        file = [.. file.AsSpan(0, at), .. other.AsSpan(random.Next(other.Length))];
                        break;

                    default:
                        file = file[..Math.Max(at, 1)];
                        break;
                }
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var stream = new MemoryStream(file);
                var loaded = random.Next(3) switch
                {
                    0 => Load<object>(stream),
                    1 => Load<MemmappedArray<double>>(stream),
                    _ => Load<double[,]>(stream),
                };
                accepted++;
                GC.KeepAlive(loaded);
            }
            catch (JoblibException)
            {
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, input {i}: {exception.GetType()}: {Convert.ToHexString(file)}", exception);
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4_000_000, $"seed {seed}, input {i}: too much memory for {Convert.ToHexString(file)}");
        }

        output.WriteLine($"{accepted} of {inputs} still meant something.");
        Assert.InRange(accepted, 1, inputs - 1);
    }

    private static byte[] WithHeader(string header, byte[] data, byte version = 1)
    {
        var text = Encoding.Latin1.GetBytes(header + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', version, 0, .. length, .. text, .. data];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Pair
    {
        public int A;
        public double B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Mixed
    {
        public bool Flag;
        public short Number;
        public Pair Inner;
    }
}
