using System.Collections.Frozen;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using TravelCases;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Calls decoded against another load of the same assembly, as on a silo: they run there, their results come back as the client's types, and the load goes.</summary>
[Collection(ForeignCodeCollection.Name)]
public sealed class OtherContextTests
{
    private const string Place = "a silo's";

    public static TheoryData<string> Kinds => [.. Cases.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Call_InACollectibleContext_RunsThereComesBackAndUnloads(string kind) => AssertUnloads(OneCall(kind));

    [Fact]
    public void MixedBatch_InACollectibleContext_ComesBackAndUnloads() => AssertUnloads(AllCalls());

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OneCall(string kind)
    {
        var silo = new OtherCode();
        var client = new LoadedCode();
        var encoder = new PayloadEncoder(client);
        var home = new PayloadDecoder(client, encoder.Serializers);
        var decoded = new PayloadDecoder(silo).DecodeCalls(encoder.EncodeCalls([Cases.Of(kind)]));
        Assert.Contains(typeof(Cases).Assembly, client.Named.Keys);
        if (kind == "failing")
        {
            var failure = home.DecodeFailure(decoded.Accept(new FailingRunner(), 0));
            Assert.Equal(3, Assert.IsType<CaseException>(failure).Code);
            return silo.Unload();
        }

        var results = new object[1];
        home.DecodeResults(decoded.Accept(new Runner(), 0), results.AsSpan());
        Check(kind, results[0]);
        return silo.Unload();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference AllCalls()
    {
        var silo = new OtherCode();
        var client = new LoadedCode();
        var kinds = Enumerable.Repeat(Cases.Kinds.Where(kind => kind != "failing"), 5).SelectMany(all => all).ToArray();
        var decoded = new PayloadDecoder(silo).DecodeCalls(new PayloadEncoder(client).EncodeCalls<object>([.. kinds.Select(Cases.Of)]));
        var results = new object[kinds.Length];
        new PayloadDecoder(client).DecodeResults(decoded.Accept(new Runner(), 0), results.AsSpan());
        for (var i = 0; i < kinds.Length; i++)
        {
            Check(kinds[i], results[i]);
        }

        return silo.Unload();
    }

    private static void Check(string kind, object result)
    {
        switch (kind)
        {
            case "constant":
                Assert.Equal(5, result);
                break;

            case "ints":
                Assert.Equal(7, result);
                break;

            case "record":
                Assert.Equal(new Person("Ada", 3), result);
                break;

            case "delegate":
                Assert.Equal(39, result);
                break;

            case "array":
                Assert.Equal([new Spot(3, 4), default], (Spot[])result);
                break;

            case "table":
                Assert.Equal(["x"], ((Dictionary<Spot, List<string>>)result)[new Spot(3, 1)]);
                break;

            case "frozen":
                Assert.Equal([new Spot(3, 4)], (FrozenSet<Spot>)result);
                break;

            case "async":
                Assert.Equal(3, result);
                break;

            case "counter":
                Assert.Equal(1, result);
                break;

            case "sequence":
                Assert.Equal([3, 4, 5], (IEnumerable<int>)result);
                break;

            case "cycle":
                Assert.Same(result, ((Person)result).Friend);
                break;

            case "argument":
                Assert.Equal(36, result);
                break;

            case "orleans":
                Assert.Equal((5, 0), (((WireCase)result).Kept, ((WireCase)result).Dropped));
                break;

            default:
                Assert.Equal(Place, result);
                break;
        }
    }

    // The runtime itself keeps code that has just run for a moment.
    private static void AssertUnloads(WeakReference context)
    {
        var started = Stopwatch.GetTimestamp();
        while (context.IsAlive && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive, "The load context did not unload: something static holds on to its types.");
    }

    private sealed class Runner : IDecodedCallsVisitor<int, byte[]>
    {
        public byte[] Visit<T>(DecodedCalls<T> calls, int state)
        {
            var results = new T[calls.Count];
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = calls.Calls[i].Invoke(default);
            }

            return calls.ResultEncoder.EncodeResults<T>(results);
        }
    }

    private sealed class FailingRunner : IDecodedCallsVisitor<int, byte[]>
    {
        public byte[] Visit<T>(DecodedCalls<T> calls, int state)
        {
            try
            {
                calls.Calls[0].Invoke(default);
                return [];
            }
            catch (Exception exception)
            {
                return calls.ResultEncoder.EncodeFailure(exception, null);
            }
        }
    }

    private sealed class OtherCode : ICodeResolver
    {
        private readonly AssemblyLoadContext _context = new(Place, isCollectible: true);
        private readonly Assembly _copy;

        internal OtherCode() => _copy = _context.LoadFromAssemblyPath(typeof(Cases).Assembly.Location);

        public Assembly Resolve(string name, Guid mvid) =>
            name == _copy.GetName().Name && mvid == _copy.ManifestModule.ModuleVersionId ? _copy : throw new JoblibException($"'{name}' is not in the code set.");

        internal WeakReference Unload()
        {
            _context.Unload();
            return new WeakReference(_context);
        }
    }
}
