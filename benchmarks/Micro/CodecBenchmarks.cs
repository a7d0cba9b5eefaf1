using System.Reflection;
using BenchmarkDotNet.Attributes;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>Calls to bytes and back, in batches of 1,000: two captured integers, the same with results, and a batch of one with all that it costs by itself.</summary>
[MemoryDiagnoser]
public class CodecBenchmarks
{
    private const int Calls = 1000;

    private readonly Code _code = new();
    private readonly Delayed<int>[] _calls = [.. Enumerable.Range(0, Calls).Select(i => Adding(i, i * 7))];
    private readonly Delayed<int>[] _scattered = [.. Enumerable.Range(0, Calls).Select(i => Adding(i, (int)((uint)i * 2654435761u)))];
    private readonly int[] _results = [.. Enumerable.Range(0, Calls).Select(i => i * 8)];
    private readonly Node[] _graphs = [.. Enumerable.Range(0, Calls).Select(i => new Node($"node {i}", i, [i, i + 1], new Node("leaf", -i, [], null)))];
    private readonly int[] _home = new int[Calls];
    private readonly Node[] _graphsHome = new Node[Calls];
    private PayloadEncoder _encoder = null!;
    private PayloadDecoder _decoder = null!;
    private byte[] _encoded = null!;
    private byte[] _encodedScattered = null!;
    private byte[] _encodedResults = null!;
    private byte[] _encodedOne = null!;
    private byte[] _encodedGraphs = null!;

    [GlobalSetup]
    public void Setup()
    {
        _encoder = new PayloadEncoder(_code);
        _decoder = new PayloadDecoder(_code);
        _encoded = _encoder.EncodeCalls<int>(_calls);
        _encodedScattered = _encoder.EncodeCalls<int>(_scattered);
        _encodedResults = _encoder.EncodeResults<int>(_results);
        _encodedOne = _encoder.EncodeCalls<int>(_calls.AsSpan(0, 1));
        _encodedGraphs = _encoder.EncodeResults<Node>(_graphs);
        Console.WriteLine(
            $"// bytes a call: {_encoded.Length / (double)Calls:0.00} near each other, {_encodedScattered.Length / (double)Calls:0.00} scattered, "
            + $"result {_encodedResults.Length / (double)Calls:0.00}, batch of one {_encodedOne.Length}, graph {_encodedGraphs.Length / (double)Calls:0.0}");
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public byte[] EncodeTwoInts() => _encoder.EncodeCalls<int>(_calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public int DecodeTwoInts() => _decoder.DecodeCalls(_encoded).Count;

    [Benchmark(OperationsPerInvoke = Calls)]
    public byte[] EncodeTwoScatteredInts() => _encoder.EncodeCalls<int>(_scattered);

    [Benchmark(OperationsPerInvoke = Calls)]
    public int DecodeTwoScatteredInts() => _decoder.DecodeCalls(_encodedScattered).Count;

    [Benchmark(OperationsPerInvoke = Calls)]
    public byte[] EncodeResults() => _encoder.EncodeResults<int>(_results);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void DecodeResults() => _decoder.DecodeResults(_encodedResults, _home.AsSpan());

    [Benchmark(OperationsPerInvoke = Calls)]
    public int ThereAndBack()
    {
        var calls = _decoder.DecodeCalls(_encoder.EncodeCalls<int>(_calls));
        _decoder.DecodeResults(_encoder.EncodeResults<int>(_results), _home.AsSpan());
        return calls.Count;
    }

    [Benchmark]
    public byte[] EncodeBatchOfOne() => _encoder.EncodeCalls<int>(_calls.AsSpan(0, 1));

    [Benchmark]
    public int DecodeBatchOfOne() => _decoder.DecodeCalls(_encodedOne).Count;

    [Benchmark(OperationsPerInvoke = Calls)]
    public byte[] EncodeGraph() => _encoder.EncodeResults<Node>(_graphs);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void DecodeGraph() => _decoder.DecodeResults(_encodedGraphs, _graphsHome.AsSpan());

    private static Delayed<int> Adding(int a, int b) => Delayed(() => a + b);

    private sealed record Node(string Name, int Number, List<int> Numbers, Node? Next);

    private sealed class Code : ICodeReferences, ICodeResolver
    {
        public void Add(Assembly assembly)
        {
        }

        public Assembly Resolve(string name, Guid mvid) => AppDomain.CurrentDomain.GetAssemblies().First(assembly => assembly.ManifestModule.ModuleVersionId == mvid);
    }
}
