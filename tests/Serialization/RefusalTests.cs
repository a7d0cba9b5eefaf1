using System.Linq.Expressions;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

#pragma warning disable CS9216 // A Lock is meant as an object here.

/// <summary>What cannot travel is refused before anything is sent, with the way to it.</summary>
public sealed class RefusalTests
{
    [Fact]
    public void Stream_InAFieldOfACapture_IsRefusedWithItsPath()
    {
        using var stream = new MemoryStream();
        using var writer = new StreamWriter(stream);
        var log = new Log(writer);
        var refusal = Assert.Throws<CannotTravelException>(() => Travel.Encode(Delayed(() => log.ToString())));
        Assert.Equal("captured 'log' → field '_writer' → StreamWriter", refusal.Path);
        Assert.Contains(refusal.Path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("CallSerializers.Register", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("#cannot-travel", refusal.HelpLink, StringComparison.Ordinal);
    }

    [Fact]
    public void Path_ThroughCollectionsStructsAndDelegates_IsNamed()
    {
        var thread = Thread.CurrentThread;
        var list = new List<object?> { null, 1, thread };
        Assert.Equal("captured 'list' → element [2] → Thread", PathOf(() => list.Count));
        var map = new Dictionary<string, object> { ["k"] = thread };
        Assert.Equal("captured 'map' → value of 'k' → Thread", PathOf(() => map.Count));
        var array = new object[] { thread };
        Assert.Equal("captured 'array' → element [0] → Thread", PathOf(() => array.Length));
        var pair = (1, Inner: new Holder { Value = thread });
        Assert.Equal("captured 'pair' → property 'Value' → Thread", PathOf(() => pair.Inner.GetHashCode()));
        Func<string?> name = () => thread.Name;
        Assert.Equal("captured 'name' → captured 'thread' → Thread", PathOf(() => name()!.Length));
        Assert.Equal("argument 2 → Thread", Assert.Throws<CannotTravelException>(() => Travel.Encode(Delayed((int x, object y) => x + y.GetHashCode(), 1, (object)thread))).Path);
        Assert.Equal("result → Thread", Assert.Throws<CannotTravelException>(() => Travel.EncodeResults<object>(thread)).Path);
        Assert.Equal("'this' → field '_unshippable' → Thread", PathOf(new Bound().Unshippable));
    }

    [Fact]
    public void ProcessBoundThings_AreRefused()
    {
        using var source = new CancellationTokenSource();
        using var semaphore = new SemaphoreSlim(1);
        using var mutex = new Mutex();
        using var timer = new Timer(_ => { });
        using var client = new HttpClient();
        using var local = new ThreadLocal<int>();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        using var socket = new System.Net.Sockets.TcpClient();
        object[] refused =
        [
            source, source.Token, semaphore, mutex, timer, client, local, process, socket, new Lock(), Thread.CurrentThread, new WeakReference(new object()),
            new WeakReference<object>(new object()), new AsyncLocal<int>(), new TaskCompletionSource<int>().Task, Task.Delay(1000), (nint)5, typeof(int).Assembly,
            new FileInfo("x"), Stream.Null, TextWriter.Null, new TaskCompletionSource<int>(), System.Threading.Channels.Channel.CreateUnbounded<int>(),
            Expression.Lambda<Func<int>>(Expression.Constant(5)).Compile(), new System.Collections.Concurrent.BlockingCollection<int>(), System.Buffers.ArrayPool<byte>.Shared,
        ];
        foreach (var value in refused)
        {
            var refusal = Assert.Throws<CannotTravelException>(() => Travel.EncodeResults(value));
            Assert.StartsWith("result → ", refusal.Path, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Token_OfASource_SaysToTakeTheRunsToken()
    {
        using var source = new CancellationTokenSource();
        var token = source.Token;
        var refusal = Assert.Throws<CannotTravelException>(() => Travel.Encode(Delayed(() => token.IsCancellationRequested)));
        Assert.Equal("captured 'token' → CancellationToken", refusal.Path);
        Assert.Contains("Delayed(token => …)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encoder_AfterARefusal_GoesOn()
    {
        var encoder = new PayloadEncoder(new LoadedCode());
        var thread = Thread.CurrentThread;
        Assert.Throws<CannotTravelException>(() => encoder.EncodeCalls([Delayed(() => thread.Name)]));
        var number = 3;
        var calls = (DecodedCalls<int>)new PayloadDecoder(new LoadedCode()).DecodeCalls(encoder.EncodeCalls([Delayed(() => number)]));
        Assert.Equal(3, calls.Calls[0].Invoke(default));
        Assert.Throws<CannotTravelException>(() => encoder.EncodeCalls([Delayed(() => thread.Name)]));
    }

    private static string PathOf<T>(Func<T> function) => Assert.Throws<CannotTravelException>(() => Travel.Encode(Delayed(function))).Path;

    private sealed class Log(StreamWriter writer)
    {
        private readonly StreamWriter _writer = writer;

        public override string ToString() => _writer.ToString()!;
    }

    private sealed class Holder
    {
        public object? Value { get; set; }
    }

    private sealed class Bound
    {
        private readonly Thread _unshippable = Thread.CurrentThread;

        public int Unshippable() => _unshippable.ManagedThreadId;
    }
}
