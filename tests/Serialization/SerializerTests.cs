using System.Buffers;
using System.Text;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Types that others know how to carry: the user's own serializers, wrapped values, and Orleans.</summary>
public sealed class SerializerTests
{
    [Fact]
    public void RegisteredSerializer_OfAClassAndAStruct_IsUsedBothWays()
    {
        var table = new SerializerTable();
        table.Add(typeof(Connection), new ConnectionSerializer());
        table.Add(typeof(Handle), new HandleSerializer());
        var code = new LoadedCode();
        var encoder = new PayloadEncoder(code, table);
        var connection = new Connection("db1");
        var handle = new Handle(77);
        Func<(Connection, Handle)> call = () => (new Connection($"{connection.Name}/{handle.Number}", connection.Opened), handle);
        var sent = (DecodedCalls<(Connection, Handle)>)new PayloadDecoder(code).DecodeCalls(encoder.EncodeCalls([Delayed(call)]));
        var result = sent.Calls[0].Invoke(default);
        Assert.Equal(("db1/77", 1), (result.Item1.Name, result.Item1.Opened));

        // The silo's encoder knows what came with the calls.
        var payload = sent.ResultEncoder.EncodeResults<(Connection, Handle)>([result]);
        var results = new (Connection, Handle)[1];
        new PayloadDecoder(code, encoder.Serializers).DecodeResults(payload, results.AsSpan());
        Assert.Equal(("db1/77", 2, (nint)77), (results[0].Item1.Name, results[0].Item1.Opened, results[0].Item2.Number));
        Assert.Contains(typeof(ConnectionSerializer).Assembly, code.Named.Keys);
    }

    [Fact]
    public void WrappedValue_Travels()
    {
        var portable = Portable.Wrap(new Connection("db2"), new ConnectionSerializer());
        Assert.Equal("db2", portable.Value.Name);
        Assert.Equal("db2 1", Travel.RunOne(() => $"{portable.Value.Name} {portable.Value.Opened}"));
        Assert.Throws<CannotTravelException>(() => Travel.Copy(new Connection("bare")));
    }

    [Fact]
    public void Register_SerializerThatCannotBeMade_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => CallSerializers.Register(new NeedsAnArgument(1)));
        Assert.Throws<ArgumentException>(() => Portable.Wrap("x", new NeedsAnArgument(1)));
    }

    [Fact]
    public void SerializerThatThrows_RefusesTheValue()
    {
        var refusal = Assert.Throws<CannotTravelException>(() => Travel.EncodeResults(Portable.Wrap(new Connection(""), new ConnectionSerializer())));
        Assert.Contains("no name", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SerializerThatThrowsWhenItReads_IsNamed()
    {
        var table = new SerializerTable();
        table.Add(typeof(Connection), new OneWaySerializer());
        var code = new LoadedCode();
        var connection = new Connection("db1");
        var payload = new PayloadEncoder(code, table).EncodeCalls([Delayed(() => connection.Name)]);
        var failure = Assert.Throws<JoblibException>(() => new PayloadDecoder(code).DecodeCalls(payload));
        Assert.EndsWith("#serializer-failed", failure.HelpLink);
        Assert.Contains(nameof(OneWaySerializer), failure.Message, StringComparison.Ordinal);
        Assert.Contains("no way back", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ListOfSerializers_MetByManyThreadsAtOnce_IsOneList()
    {
        const int Threads = 80;
        var table = new SerializerTable();
        table.Add(typeof(Connection), new ConnectionSerializer());
        var connection = new Connection("db1");
        var payload = new PayloadEncoder(new LoadedCode(), table).EncodeCalls([Delayed(() => connection.Name)]);
        using var barrier = new Barrier(Threads);
        var decoder = new PayloadDecoder(new MeetingCode(barrier));
        var failures = new System.Collections.Concurrent.ConcurrentBag<Exception>();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            try
            {
                decoder.DecodeCalls(payload);
            }
            catch (Exception exception)
            {
                failures.Add(exception);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Assert.All(threads, thread => Assert.True(thread.Join(Patience.Limit)));
        Assert.Empty(failures);
    }

    [Fact]
    public void OrleansTypes_GoThroughOrleans()
    {
        var wire = new WireThing { Kept = 5, Dropped = 6 };
        var copy = Travel.Copy(wire);
        Assert.Equal((5, 0), (copy.Kept, copy.Dropped));
        Assert.Equal(5, Travel.RunOne(() => wire.Kept));
        Assert.Equal(8, Travel.Copy(new WireValue { Number = 8 }).Number);
        Assert.Equal("surrogate of x", Travel.Copy(new Foreign("x")).Text);
        Assert.Equal([5, 7], Travel.Copy(new List<WireThing> { wire, new() { Kept = 7 } }).Select(item => item.Kept));
        Assert.Equal("q", Travel.Copy(new WireGeneric<string> { Value = "q" }).Value);
    }

    internal sealed class Connection(string name, int opened = 0)
    {
        private readonly Thread _owner = Thread.CurrentThread;

        public string Name => name;

        public int Opened => opened + (_owner is null ? 100 : 0);
    }

    internal sealed class ConnectionSerializer : ICallSerializer<Connection>
    {
        public void Write(Connection value, IBufferWriter<byte> output)
        {
            if (value.Name.Length == 0)
            {
                throw new InvalidOperationException("It has no name.");
            }

            output.Write([(byte)(value.Opened + 1), .. Encoding.UTF8.GetBytes(value.Name)]);
        }

        public Connection Read(ReadOnlySequence<byte> input)
        {
            var bytes = input.ToArray();
            return new Connection(Encoding.UTF8.GetString(bytes.AsSpan(1)), bytes[0]);
        }
    }

    internal sealed class OneWaySerializer : ICallSerializer<Connection>
    {
        public void Write(Connection value, IBufferWriter<byte> output) => output.Write([(byte)1]);

        public Connection Read(ReadOnlySequence<byte> input) => throw new NotSupportedException("There is no way back.");
    }

    /// <summary>Code that takes a moment to load: until as many threads as the barrier has ask for it.</summary>
    private sealed class MeetingCode(Barrier barrier) : ICodeResolver
    {
        private readonly LoadedCode _code = new();
        [ThreadStatic]
        private static bool _has;


        public System.Reflection.Assembly Resolve(string name, Guid mvid)
        {
            if (!_has)
            {
                _has = true;
                Assert.True(barrier.SignalAndWait(Patience.Limit));
            }

            return ((ICodeResolver)_code).Resolve(name, mvid);
        }
    }

    internal readonly struct Handle(nint number)
    {
        public nint Number { get; } = number;
    }

    internal sealed class HandleSerializer : ICallSerializer<Handle>
    {
        public void Write(Handle value, IBufferWriter<byte> output) => output.Write(BitConverter.GetBytes((long)value.Number));

        public Handle Read(ReadOnlySequence<byte> input) => new((nint)BitConverter.ToInt64(input.ToArray()));
    }

    private sealed class NeedsAnArgument(int number) : ICallSerializer<string>
    {
        public void Write(string value, IBufferWriter<byte> output) => output.Write(new byte[number]);

        public string Read(ReadOnlySequence<byte> input) => "";
    }
}
