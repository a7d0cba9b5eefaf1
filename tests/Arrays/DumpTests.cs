using System.IO.Compression;
using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Arrays;

public sealed class DumpTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string?> Compressions() => new()
    {
        { "a.npy", null }, { "a.z", null }, { "a.gz", null }, { "a.zst", null }, { "a.lz4", null }, { "a", "True" }, { "a", "5" }, { "a.gz", "0" }, { "a", "zlib" }, { "a", "gzip" },
        { "a", "zstd" }, { "a", "lz4" }, { "a.z", "zstd" }, { "a", "zstd 9" }, { "a", "lz4 9" }, { "a", "gzip 1" }, { "a", "zlib 0" },
    };

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Dump_AnyCompression_IsLoaded(string name, string? how)
    {
        Compression compress = how switch
        {
            null => default,
            "True" => true,
            ['0' or '5'] => how[0] - '0',
            _ when how.Split(' ') is [var method, var level] => (method, level[0] - '0'),
            _ => how,
        };
        var array = Enumerable.Range(0, 300_000).Select(i => (double)(i / 7)).ToArray();
        object?[] value = [array, "text", array, new Dictionary<string, int[]> { ["a"] = [.. Enumerable.Range(0, 5000)] }];

        Assert.Equal([_folder[name]], Dump(array, _folder[name], compress));
        Assert.Equal(array, Load<double[]>(_folder[name]));
        Assert.Equal(how is null or "zlib 0" && name == "a.npy" || how == "zlib 0", new FileInfo(_folder[name]).Length > array.Length * 8);
        Dump(value, _folder[name], compress);
        var loaded = Load<object?[]>(_folder[name]);
        Assert.Equal(array, loaded[0]);
        Assert.Same(loaded[0], loaded[2]);
        Assert.Equal(4999, ((Dictionary<string, int[]>)loaded[3]!)["a"][^1]);
        Assert.Single(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Dump_Extension_PicksTheMethodUnlessOneIsNamed()
    {
        Assert.Equal(0x1F, First("a.gz", default));
        Assert.Equal(0x1F, First("a.gz", 4));
        Assert.Equal(0x1F, First("a.gz", 0));
        Assert.Equal(0x28, First("a.gz", "zstd"));
        Assert.Equal(0x78, First("a.npy", 4));
        Assert.Equal(0x78, First("a.npy", true));
        Assert.Equal(0x93, First("a.npy", false));
        Assert.Equal(0x04, First("a.lz4", false));

        int First(string name, Compression compress)
        {
            Dump(new int[10], _folder[name], compress);
            return File.ReadAllBytes(_folder[name])[0];
        }
    }

    [Fact]
    public void Compression_ThatIsNone_SaysWhatThereIs()
    {
        Assert.Contains("'0'", Assert.Throws<ArgumentOutOfRangeException>(() => { Compression c = 10; }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => { Compression c = -1; });
        Assert.Throws<ArgumentOutOfRangeException>(() => { Compression c = ("zlib", 11); });
        Assert.Contains("'zstd'", Assert.Throws<ArgumentException>(() => { Compression c = "snappy"; }).Message, StringComparison.Ordinal);
        Assert.Contains("RegisterCompressor", Assert.Throws<ArgumentException>(() => { Compression c = "bz2"; }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Dump(1, _folder["a.xz"]));
        File.WriteAllBytes(_folder["b"], [(byte)'B', (byte)'Z', (byte)'h', 1, 2, 3]);
        Assert.Equal("docs/errors.md#compression-unknown", Assert.Throws<JoblibException>(() => Load<int>(_folder["b"])).HelpLink);
    }

    [Theory]
    [InlineData("zlib")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("lz4")]
    public void Load_CompressedFileThatIsDamaged_IsAnError(string method)
    {
        Dump(Enumerable.Range(0, 2000).ToArray(), _folder["a"], method);
        var whole = File.ReadAllBytes(_folder["a"]);
        for (var i = 1; i < 40; i++)
        {
            File.WriteAllBytes(_folder["a"], whole[..(whole.Length * i / 40)]);
            Assert.Throws<JoblibException>(() => Load<int[]>(_folder["a"]));
        }
    }

    [Theory]
    [InlineData("zlib")]
    [InlineData("lz4")]
    public void Load_CompressedHeaderThatClaimsMoreThanItCanHold_IsRefusedBeforeMemoryIsTaken(string method)
    {
        var header = new byte[128];
        NpyHeader.Write(NpyElement.Of(typeof(double)), ArrayOrder.C, [200_000_000]).CopyTo(header, 0);
        using (var file = File.Create(_folder["a"]))
        using (var compressed = CompressorTable.Named(method).Compress(file, null))
        {
            compressed.Write(header);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<JoblibException>(() => Load<double[]>(_folder["a"]));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }

    [Fact]
    public void Load_MmapModeOfACompressedFile_WarnsAndReads()
    {
        Dump(new[] { 1, 2, 3 }, _folder["a.gz"]);

        Assert.Equal([1, 2, 3], Load<MemmappedArray<int>>(_folder["a.gz"], MmapMode.ReadOnly).ToArray());
        Assert.Equal([1, 2, 3], Load<int[]>(_folder["a.gz"], MmapMode.ReadOnly));
        Assert.Equal(2, CapturedLog.Instance.Count(LogLevel.Warning, _folder["a.gz"]));
    }

    [Fact]
    public void Load_MmapModeOfAnArrayOfDotNets_IsRefused()
    {
        Dump(new[] { 1, 2, 3 }, _folder["a.npy"]);

        Assert.Throws<ArgumentException>(() => Load<int[]>(_folder["a.npy"], MmapMode.ReadOnly));
        Assert.IsType<MemmappedArray<int>>(Load<object>(_folder["a.npy"], MmapMode.ReadOnly));
        Assert.Equal(2, Load<ReadOnlyMemory<int>>(_folder["a.npy"], MmapMode.ReadOnly).Span[1]);
        Assert.Throws<NotSupportedException>(() => Load<Memory<int>>(_folder["a.npy"], MmapMode.ReadOnly));
        var memory = Load<Memory<int>>(_folder["a.npy"], MmapMode.CopyOnWrite);
        memory.Span[1] = 5;
        Assert.Equal([1, 2, 3], Load<int[]>(_folder["a.npy"]));
    }

    [Fact]
    public void Dump_Object_MapsItsArrays()
    {
        using var source = MemmappedArray<double>.Create(_folder["source.npy"], [1000, 10]);
        source[999, 9] = 4;
        var model = new Model { Name = "m", Weights = source, Plain = [.. Enumerable.Range(0, 9999)], Memory = Enumerable.Range(0, 5000).ToArray().AsMemory(1, 4000) };
        model.Self = model;
        Dump(model, _folder["model"]);
        source[999, 9] = 5;

        foreach (var mode in (MmapMode?[])[null, MmapMode.ReadOnly, MmapMode.ReadWrite, MmapMode.CopyOnWrite])
        {
            var loaded = Load<Model>(_folder["model"], mode);
            Assert.Equal("m", loaded.Name);
            Assert.Same(loaded, loaded.Self);
            Assert.Equal(4, loaded.Weights![999, 9]);
            Assert.Equal(mode is null ? null : _folder["model"], loaded.Weights.Path);
            Assert.Equal(9998, loaded.Plain[9998]);
            Assert.Equal(1, loaded.Memory.Span[0]);
            Assert.Equal(4000, loaded.Memory.Length);
        }

        Load<Model>(_folder["model"], MmapMode.ReadWrite).Weights![0, 0] = 77;
        Assert.Equal(77, Load<Model>(_folder["model"]).Weights![0, 0]);
    }

    [Fact]
    public void Dump_ThatFails_LeavesWhatWasThere()
    {
        Dump("before", _folder["a"]);

        Assert.Throws<CannotTravelException>(() => Dump(new[] { (object)new MemoryStream() }, _folder["a"]));
        Assert.Equal("before", Load<string>(_folder["a"]));
        Assert.Single(Directory.GetFiles(_folder.Root));
        Assert.Throws<InvalidCastException>(() => Load<int[]>(_folder["a"]));
        Assert.Throws<DirectoryNotFoundException>(() => Dump(1, Path.Combine(_folder["none"], "a")));
        Assert.Throws<FileNotFoundException>(() => Load<int>(_folder["none"]));
    }

    [Fact]
    public void Load_DamagedObjectFiles_EndWithAnErrorOrAValue()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        using var stream = new MemoryStream();
        Dump(new object[] { new int[2000], "text", new double[600] }, stream);
        var whole = stream.ToArray();
        for (var i = 0; i < 3000; i++)
        {
            var file = (byte[])whole.Clone();
            file[random.Next(random.Next(2) == 0 ? 200 : file.Length)] = (byte)random.Next(256);
            file = random.Next(3) == 0 ? file[..random.Next(file.Length)] : file;
            try
            {
                Load<object>(new MemoryStream(file));
            }
            catch (JoblibException)
            {
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, input {i}", exception);
            }
        }
    }

    [Fact]
    public void RegisterCompressor_IsUsedByNameExtensionAndPrefix()
    {
        RegisterCompressor("test-brotli", new BrotliWithPrefix(), force: true);

        Dump(new int[1000], _folder["a.tbr"]);
        Assert.Equal((byte)'T', File.ReadAllBytes(_folder["a.tbr"])[0]);
        Assert.Equal(1000, Load<int[]>(_folder["a.tbr"]).Length);
        Dump("x", _folder["b"], "test-brotli");
        Assert.Equal("x", Load<string>(_folder["b"]));
        Assert.Throws<ArgumentException>(() => RegisterCompressor("test-brotli", new BrotliWithPrefix()));
        Assert.Throws<ArgumentException>(() => RegisterCompressor("", new BrotliWithPrefix()));
    }

    internal sealed class Model
    {
        public string? Name { get; set; }

        public MemmappedArray<double>? Weights { get; set; }

        public int[] Plain { get; set; } = [];

        public ReadOnlyMemory<int> Memory { get; set; }

        public Model? Self { get; set; }
    }

    private sealed class BrotliWithPrefix : Compressor
    {
        public override string Extension => ".tbr";

        public override ReadOnlyMemory<byte> Prefix { get; } = "TBR"u8.ToArray();

        public override Stream Compress(Stream output, int? level)
        {
            output.Write(Prefix.Span);
            return new BrotliStream(output, CompressionLevel.Fastest, leaveOpen: true);
        }

        public override Stream Decompress(Stream input)
        {
            input.ReadExactly(new byte[3]);
            return new BrotliStream(input, CompressionMode.Decompress, leaveOpen: true);
        }
    }
}
