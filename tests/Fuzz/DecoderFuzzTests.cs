using System.Diagnostics;
using System.Globalization;
using Orleans.Joblib.Tests.Arrays;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Payloads that were cut, changed, mixed or made up end with an error or a value: never a crash, a hang or memory out of proportion.</summary>
/// <remarks><c>JOBLIB_FUZZ_INPUTS</c> says how many inputs (20,000 unless told), <c>JOBLIB_FUZZ_SEED</c> repeats a run.</remarks>
public sealed class DecoderFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int LargeArrayBytes = 1000;

    // Twice the promise: the meter also counts what the test itself and the runtime's own tables allocate.
    private const long MostBytesPerByte = 2 * DecodeLimits.MemoryFactor;
    private const long MostFreeBytes = 8 * DecodeLimits.FreeMemory;

    private static readonly TimeSpan LongestInput = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null);

    public void Dispose()
    {
        // Mappings are closed by the collector.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _folder.Dispose();
    }

    [Fact]
    public void Decode_HostilePayloads_EndWithAnErrorOrAValue() => Fuzz(Corpus(), null);

    [Fact]
    public void Decode_HostileReferencesToArrays_EndWithAnErrorOrAValue()
    {
        Assert.SkipUnless(ArrayStore.IsSupported, "Arrays are shared on Linux.");
        using var store = new ArrayStore(new ArrayStoreOptions { TempFolder = _folder.Root });
        using var sink = new StoreSink(store, LargeArrayBytes);
        using var source = new StoreSource();
        Fuzz(CorpusOfArrays(sink), source);
    }

    private void Fuzz(byte[][] corpus, IArraySource? arrays)
    {
        var inputs = int.Parse(Environment.GetEnvironmentVariable("JOBLIB_FUZZ_INPUTS") ?? "20000", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("JOBLIB_FUZZ_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"JOBLIB_FUZZ_SEED={seed} JOBLIB_FUZZ_INPUTS={inputs}");
        var random = new Random(seed);
        foreach (var original in corpus)
        {
            Assert.True(TryDecode(new PayloadDecoder(new LoadedCode()), original, arrays), $"seed {seed}: a payload of the corpus itself was refused.");
        }

        var decoder = new PayloadDecoder(new LoadedCode());
        var accepted = 0;
        for (var i = 0; i < inputs; i++)
        {
            // What a payload made the decoder learn must not grow without end either.
            if (i % 50_000 == 0)
            {
                decoder = new PayloadDecoder(new LoadedCode());
            }

            var payload = Mutated(corpus, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            bool isValue;
            try
            {
                isValue = TryDecode(decoder, payload, arrays);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, input {i}: {exception.GetType()}: {Convert.ToHexString(payload)}", exception);
            }

            accepted += isValue ? 1 : 0;
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(
                allocated <= MostFreeBytes + (MostBytesPerByte * payload.Length),
                $"seed {seed}, input {i}: {allocated} bytes of memory for {payload.Length} bytes: {Convert.ToHexString(payload)}");
            Assert.True(Stopwatch.GetElapsedTime(started) < LongestInput, $"seed {seed}, input {i} hung: {Convert.ToHexString(payload)}");
        }

        output.WriteLine($"{accepted} of {inputs} still meant something.");
        Assert.InRange(accepted, 0, inputs - 1);
    }

    private static bool TryDecode(PayloadDecoder decoder, byte[] payload, IArraySource? arrays)
    {
        try
        {
            switch (payload.Length > 3 ? payload[3] % 3 : 0)
            {
                case PayloadFormat.Calls:
                    decoder.DecodeCalls(payload, arrays);
                    break;

                case PayloadFormat.Results:
                    decoder.DecodeResults(payload, new object[3].AsSpan(), arrays);
                    break;

                default:
                    decoder.DecodeFailure(payload);
                    break;
            }

            return true;
        }
        catch (JoblibException)
        {
            return false;
        }
    }

    private static byte[] Mutated(byte[][] corpus, Random random)
    {
        var payload = (byte[])corpus[random.Next(corpus.Length)].Clone();
        switch (random.Next(7))
        {
            case 0:
                return payload[..random.Next(payload.Length)];

            case 1:
                payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
                return payload;

            case 2:
                for (var n = random.Next(1, 9); n > 0; n--)
                {
                    payload[random.Next(Math.Min(4, payload.Length - 1), payload.Length)] = (byte)random.Next(256);
                }

                return payload;

            case 3:
                var other = corpus[random.Next(corpus.Length)];
                return [.. payload.AsSpan(0, random.Next(payload.Length)), .. other.AsSpan(random.Next(other.Length))];

            case 4:
                var at = random.Next(4, payload.Length);
                byte[] large = [0xFF, 0xFF, 0xFF, 0xFF, (byte)random.Next(16)];
                return [.. payload.AsSpan(0, at), .. large, .. payload.AsSpan(Math.Min(at + random.Next(3), payload.Length))];

            case 5:
                var from = random.Next(payload.Length);
                var length = random.Next(Math.Min(32, payload.Length - from));
                var to = random.Next(4, payload.Length);
                return [.. payload.AsSpan(0, to), .. payload.AsSpan(from, length), .. payload.AsSpan(to)];

            default:
                var made = new byte[random.Next(4, 200)];
                random.NextBytes(made);
                payload.AsSpan(0, Math.Min(4, made.Length)).CopyTo(made);
                return made;
        }
    }

    private static byte[][] Corpus()
    {
        var list = new List<int> { 1, 2 };
        var person = new ValueTravelTests.Person("Ada", 36);
        var count = 0;
        Func<int, int> plus = x => x + count;
        var node = new ValueTravelTests.Node { Name = "n" };
        node.Next = node;
        return
        [
            Travel.Encode([.. Enumerable.Range(0, 20).Select(i => Delayed(() => i + 1))]),
            Travel.Encode(Delayed(() => list.Count), Delayed(() => ++count), Delayed(() => plus(3)), Delayed((int x) => x, 5)),
            Travel.Encode(Delayed(Math.Sqrt, 4.0), Delayed(Math.Sqrt, 5.0)),
            Travel.Encode(Delayed(async (string x, ValueTravelTests.Person p) =>
            {
                await Task.Yield();
                return x + p;
            }, "x", person).AsOutcome()),
            Travel.EncodeResults<object>(node, new Dictionary<string, object?> { ["a"] = person, ["b"] = null }, new[] { 1.0, 2 }),
            Travel.EncodeResults<object>(new HashSet<ValueTravelTests.Person> { person }, new[,] { { "a" }, { "b" } }, System.Collections.Frozen.FrozenSet.Create(1, 2, 3)),
            Travel.EncodeResults<object>(new List<(int, string)> { (1, "a") }, System.Collections.Immutable.ImmutableList.Create("x", "y"), plus),
            Travel.EncodeResults<object>(new Queue<object>([1, 'c', 2m]), new[] { 1, 2, 3 }.Where(x => x > 1), "text".AsMemory()),
            Travel.EncodeResults<object>(typeof(Dictionary<string, List<int>>), new Uri("https://example.org"), new System.Text.RegularExpressions.Regex("a+")),
            Travel.EncodeResults<object>(DateTime.MaxValue, new DateOnly(2020, 1, 1), System.Numerics.BigInteger.Pow(7, 50)),
            new PayloadEncoder(new LoadedCode()).EncodeFailure(new AggregateException(new ArgumentException("m", "p"), new InvalidOperationException("i")), new CallFailure(1, "c", null, "w")),
        ];
    }

    private byte[][] CorpusOfArrays(StoreSink sink)
    {
        double[] numbers = [.. Enumerable.Range(0, 2 * LargeArrayBytes).Select(i => (double)i)];
        var matrix = new int[40, 25];
        using var mapped = MemmappedArray<float>.Create(_folder["user.npy"], [20, 30]);
        var encoder = new PayloadEncoder(new LoadedCode());
        return
        [
            encoder.EncodeCalls<double>([Delayed(() => numbers[0]), Delayed((double[] array, int i) => array[i], numbers, 3)], sink),
            encoder.EncodeCalls<int>([Delayed((ReadOnlyMemory<double> view) => view.Length, (ReadOnlyMemory<double>)numbers.AsMemory(10, 500)), Delayed(() => matrix.Length)], sink),
            encoder.EncodeCalls<long>([Delayed((MemmappedArray<float> array) => array.ByteLength, mapped), Delayed((MemmappedArray<float> array) => array.ByteLength, mapped.Transpose())], sink),
            encoder.EncodeResults<object>([numbers, matrix, mapped], sink),
            encoder.EncodeResults<object>([mapped.Slice(1, 10), new[] { numbers, numbers }, numbers.AsMemory()], sink),
        ];
    }
}
