using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Calls decoded against another load of the same assemblies, as on a silo.</summary>
public sealed class OtherContextTests
{
    [Fact]
    public void Calls_InACollectibleContext_RunThereAndComeBack()
    {
        var context = RoundTrip();
        for (var i = 0; i < 20 && context.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive, "The load context did not unload: something static holds on to its types.");
    }

    [Fact]
    public void OrleansTypes_InACollectibleContext_ComeBackAndUnload()
    {
        var context = OrleansRoundTrip();
        for (var i = 0; i < 20 && context.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive, "The load context did not unload: something static holds on to its types.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RoundTrip()
    {
        var silo = new OtherCode();
        var client = new LoadedCode();
        var encoder = new PayloadEncoder(client);
        var decoder = new PayloadDecoder(silo);
        var back = new PayloadEncoder(NoReferences.Instance, decoder.Serializers);
        var home = new PayloadDecoder(client);

        var numbers = new[] { 3, 4 };
        var person = new ValueTravelTests.Person("Ada", 36) { Tags = ["t"] };
        var node = new ValueTravelTests.Node { Number = 5 };
        node.Next = node;
        Func<int, int> plus = x => x + numbers[0];
        var calls = new List<Delayed<object>>();
        for (var i = 0; i < 10; i++)
        {
            var index = i;
            calls.Add(Delayed<object>(() => index * 2));
            calls.Add(Delayed<object>(() => person with { Age = index }));
            calls.Add(Delayed<object>(() => node.Next!.Number + plus(index)));
            calls.Add(Delayed<ValueTravelTests.Person, object>(static p => new[] { p, p }, person));
            calls.Add(Delayed<object>(() => new Dictionary<ValueTravelTests.Point, List<string>> { [new(index, 1)] = ["x"] }));
            calls.Add(Delayed<object>(async () =>
            {
                await Task.Yield();
                return numbers.Where(n => n > index).Sum();
            }));
            calls.Add(Delayed<object>(() => AssemblyLoadContext.GetLoadContext(typeof(OtherContextTests).Assembly)!.Name!));
        }

        var decoded = decoder.DecodeCalls(encoder.EncodeCalls<object>([.. calls]));
        var results = new object[calls.Count];
        home.DecodeResults(decoded.Accept(new Runner(), back), results.AsSpan());
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(i * 2, results[7 * i]);
            Assert.Equal((person.Name, i), (((ValueTravelTests.Person)results[(7 * i) + 1]).Name, ((ValueTravelTests.Person)results[(7 * i) + 1]).Age));
            Assert.Equal(5 + i + 3, results[(7 * i) + 2]);
            var pair = (ValueTravelTests.Person[])results[(7 * i) + 3];
            Assert.Same(pair[0], pair[1]);
            Assert.Equal(["x"], ((Dictionary<ValueTravelTests.Point, List<string>>)results[(7 * i) + 4])[new(i, 1)]);
            Assert.Equal(numbers.Where(n => n > i).Sum(), results[(7 * i) + 5]);
            Assert.Equal("a silo's", results[(7 * i) + 6]);
        }

        var failing = (DecodedCalls<int>)decoder.DecodeCalls(encoder.EncodeCalls([Delayed(() => numbers[5])]));
        var thrown = Assert.Throws<IndexOutOfRangeException>(() => failing.Calls[0].Invoke(default));
        Assert.IsType<IndexOutOfRangeException>(home.DecodeFailure(back.EncodeFailure(thrown, null)));
        return silo.Unload();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OrleansRoundTrip()
    {
        var silo = new OtherCode();
        var client = new LoadedCode();
        var decoder = new PayloadDecoder(silo);
        var wire = new WireThing { Kept = 5 };
        var foreign = new Foreign("f");
        var decoded = decoder.DecodeCalls(new PayloadEncoder(client).EncodeCalls([Delayed<object>(() => (wire, foreign))]));
        var results = new object[1];
        new PayloadDecoder(client).DecodeResults(decoded.Accept(new Runner(), new PayloadEncoder(NoReferences.Instance, decoder.Serializers)), results.AsSpan());
        var (thing, text) = ((WireThing, Foreign))results[0];
        Assert.Equal((5, "surrogate of surrogate of f"), (thing.Kept, text.Text));
        return silo.Unload();
    }

    private sealed class Runner : IDecodedCallsVisitor<PayloadEncoder, byte[]>
    {
        public byte[] Visit<T>(DecodedCalls<T> calls, PayloadEncoder state)
        {
            var results = new T[calls.Count];
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = calls.Calls[i].Invoke(default);
            }

            return state.EncodeResults<T>(results);
        }
    }

    private sealed class OtherCode : ICodeResolver
    {
        private readonly AssemblyLoadContext _context = new("a silo's", isCollectible: true);
        private readonly Assembly _copy;

        internal OtherCode() => _copy = _context.LoadFromAssemblyPath(typeof(OtherContextTests).Assembly.Location);

        public Assembly Resolve(string name, Guid mvid) =>
            name == _copy.GetName().Name && mvid == _copy.ManifestModule.ModuleVersionId ? _copy : throw new JoblibException($"'{name}' is not in the code set.");

        internal WeakReference Unload()
        {
            _context.Unload();
            return new WeakReference(_context);
        }
    }
}
