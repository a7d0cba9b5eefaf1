using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Functions of every kind do the same after they travelled.</summary>
public sealed class FunctionTravelTests
{
    private readonly int _offset = 100;

    private delegate int Custom(int x, ref int y);

    [Fact]
    public void Lambda_NoCapture_Travels() => Assert.Equal([42, 42], Travel.Run(Delayed(() => 42), Delayed(() => 42)));

    [Fact]
    public void Lambda_TwoInts_Travels()
    {
        var calls = Enumerable.Range(0, 1000).Select(i => Adding(i, i * 7)).ToArray();
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i + (i * 7)), Travel.Run(calls));
    }

    [Fact]
    public void Lambda_TwoInts_TakesFewBytes()
    {
        var payload = Travel.Encode(Enumerable.Range(0, 10_000).Select(i => Adding(i, i * 7)).ToArray());
        Assert.InRange(payload.Length, 1, 30_000);
    }

    [Fact]
    public void Lambda_NestedScopes_Travels()
    {
        var data = new[] { 1.0, 2, 3 };
        var calls = new List<Delayed<double>>();
        for (var i = 0; i < 3; i++)
        {
            var factor = i * 10;
            for (var j = 0; j < 2; j++)
            {
                var shift = j;
                calls.Add(Delayed(() => (data[shift] * factor) + shift));
            }
        }

        Assert.Equal(calls.Select(call => call.Invoke(default)), Travel.Run([.. calls]));
    }

    [Fact]
    public void Lambda_This_Travels() => Assert.Equal([100, 101, 102], Travel.Run([.. Enumerable.Range(0, 3).Select(i => Delayed(() => _offset + i))]));

    [Fact]
    public void Lambda_OnlyThis_Travels() => Assert.Equal(100, Travel.RunOne(() => _offset));

    [Fact]
    public void MethodGroup_StaticInstanceAndVirtual_Travel()
    {
        Assert.Equal([2.0, 3], Travel.Run(Delayed(Math.Sqrt, 4.0), Delayed(Math.Sqrt, 9.0)));
        Assert.Equal([107, 108], Travel.Run(Delayed(Plus, 7), Delayed(Plus, 8)));
        object named = new Named("Ada");
        Assert.Equal("Ada!", Travel.Run(Delayed(named.ToString))[0]);
        Assert.Equal("ABC", Travel.Run(Delayed("abc".ToUpperInvariant))[0]);
        Assert.Equal(4, Travel.Run(Delayed("four".CountLetters))[0]);
        Assert.Equal(5, Travel.Run(Delayed(5.GetHashCode))[0]);
    }

    [Fact]
    public void LocalFunction_StaticAndCapturing_Travel()
    {
        var shift = 5;
        int Shifted(int x) => x + shift;
        static int Twice(int x) => 2 * x;
        Assert.Equal([6, 7], Travel.Run(Delayed(Shifted, 1), Delayed(Shifted, 2)));
        Assert.Equal([2, 4], Travel.Run(Delayed(Twice, 1), Delayed(Twice, 2)));
        Assert.Equal(25, Travel.RunOne(() => Shifted(Twice(10))));
    }

    [Fact]
    public void Generic_MethodsAndClasses_Travel()
    {
        Assert.Equal(["x,x", "y,y"], Travel.Run(Delayed(Generic<string>.Pair, "x"), Delayed(Generic<string>.Pair, "y")));
        Assert.Equal("7,8", Travel.RunOne(() => Generic<int>.Both(7, 8)));
        Assert.Equal("7:a", Travel.RunOne(Capturing(7, "a")));
        Assert.Equal("b:a", Travel.RunOne(Capturing("b", "a")));
        Assert.Equal(new Named("q"), Travel.RunOne(new Generic<Named>().Same(new Named("q"))));
    }

    [Fact]
    public void Async_LambdasMethodsAndTokens_Travel()
    {
        var word = "w";
        Assert.Equal("w1", Travel.Run(Delayed(async () =>
        {
            await Task.Yield();
            return word + 1;
        }))[0]);
        Assert.Equal("w2", Travel.Run(Delayed(async (int x) =>
        {
            await Task.Yield();
            return word + x;
        }, 2))[0]);
        Assert.Equal(default(NoResult), Travel.Run(Delayed(async () => await Task.Yield()))[0]);
        Assert.False(Travel.Run(Delayed(token => token.IsCancellationRequested))[0]);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.True(Travel.Send(Delayed(token => token.IsCancellationRequested))[0].Invoke(source.Token));
        using var open = new CancellationTokenSource();
        Assert.True(Travel.Send(Delayed(async token =>
        {
            await Task.Yield();
            return token.CanBeCanceled;
        }))[0].Invoke(open.Token));
    }

    [Fact]
    public void Arguments_OneToEight_Travel()
    {
        Assert.Equal(6, Travel.Run(Delayed((int a, long b, byte c) => (int)(a + b + c), 1, 2L, (byte)3))[0]);
        Assert.Equal("12345678", Travel.Run(Delayed(
            (int a, int b, int c, int d, int e, int f, int g, string h) => $"{a}{b}{c}{d}{e}{f}{g}{h}", 1, 2, 3, 4, 5, 6, 7, "8"))[0]);
        Assert.Equal(default(NoResult), Travel.Run(Delayed((string s) => Assert.Equal("s", s), "s"))[0]);
    }

    [Fact]
    public void Delegates_InsideData_Travel()
    {
        var step = 3;
        Func<int, int> add = x => x + step;
        Func<int, int> twice = x => add(add(x));
        Assert.Equal(16, Travel.RunOne(() => twice(10)));

        Func<int, int> factorial = null!;
        factorial = n => n <= 1 ? 1 : n * factorial(n - 1);
        Assert.Equal(120, Travel.RunOne(() => factorial(5)));

        var seen = new List<int>();
        Action<int> both = seen.Add;
        both += x => seen.Add(-x);
        Assert.Equal([4, -4], Travel.RunOne(() =>
        {
            both(4);
            return seen;
        }));
        Assert.Equal(5, Travel.Copy<Func<int, int, int>>(Math.Max)(3, 5));
        Assert.Equal("x", Travel.Copy(typeof(object).GetMethod("ToString")!.CreateDelegate<Func<object, string>>())("x"));
        Custom custom = (int x, ref int y) => y = x + step;
        var result = 0;
        Travel.Copy(custom)(4, ref result);
        Assert.Equal(7, result);
    }

    [Fact]
    public void Multicast_AsTheCallItself_Travels()
    {
        var log = new List<string>();
        Func<int> first = () =>
        {
            log.Add("first");
            return 1;
        };
        var both = first + (() => log.Count);
        Assert.Equal([1, 1], Travel.Run(Delayed(both), Delayed(both)).Select(_ => 1));
        Assert.Equal(1, Travel.Run(Delayed(both))[0]);
    }

    [Fact]
    public void Outcomes_OfEveryForm_Travel()
    {
        var divisor = 0;
        var sent = Travel.Send(Delayed(() => 1 / divisor).AsOutcome(), Delayed((int x) => 10 / x, 5).AsOutcome(), Delayed(async () =>
        {
            await Task.Yield();
            return 9;
        }).AsOutcome());
        Assert.Throws<DivideByZeroException>(() => sent[0].Invoke(default));
        Assert.Equal(2, sent[1].Invoke(default).Value);
        Assert.Equal(9, sent[2].Invoke(default).Value);
    }

    [Fact]
    public void MixedBatch_ManyShapes_KeepsItsOrder()
    {
        var calls = new List<Delayed<string>>();
        for (var i = 0; i < 100; i++)
        {
            var number = i;
            calls.Add((i % 5) switch
            {
                0 => Delayed(() => $"a{number}"),
                1 => Delayed(() => "constant"),
                2 => Delayed((int x) => $"c{x}", number),
                3 => Delayed(number.ToString),
                _ => Delayed(async () =>
                {
                    await Task.Yield();
                    return $"e{number}";
                }),
            });
        }

        Assert.Equal(calls.Select(call => call.Invoke(default)), Travel.Run([.. calls]));
    }

    [Fact]
    public void WrittenClosure_SharedBySiblings_StaysShared()
    {
        var count = 0;
        var calls = Travel.Send(Delayed(() => ++count), Delayed(() => ++count), Delayed(() => count * 100));
        Assert.Equal([1, 2, 200], calls.Select(call => call.Invoke(default)));
        Assert.Equal(0, count);
    }

    [Fact]
    public void WrittenClosure_SharedWithADelegateInside_StaysShared()
    {
        var total = 0;
        Action<int> add = x => total += x;
        Assert.Equal([5, 12], Travel.Run(Delayed(() =>
        {
            add(5);
            return total;
        }), Delayed(() =>
        {
            add(7);
            return total;
        })));
    }

    [Fact]
    public void NestedCalls_InsideACall_Travel()
    {
        var inner = new[] { Delayed(() => 5), Delayed((int x) => x + 1, 6) };
        Assert.Equal(12, Travel.RunOne(() => inner.Sum(call => call.Invoke(default))));
    }

    [Fact]
    public void SharedCapture_OverABatch_IsOneObject()
    {
        var list = new List<int>();
        var calls = Travel.Send([.. Enumerable.Range(0, 5).Select(i => Delayed(() =>
        {
            list.Add(i);
            return list;
        }))]);
        var results = calls.Select(call => call.Invoke(default)).ToArray();
        Assert.All(results, result => Assert.Same(results[0], result));
        Assert.Equal([0, 1, 2, 3, 4], results[0]);
        Assert.Empty(list);
    }

    internal static Func<string> Capturing<T>(T value, string text) => () => $"{value}:{text}";

    private static Delayed<int> Adding(int a, int b) => Delayed(() => a + b);

    private int Plus(int x) => _offset + x;

    private sealed record Named(string Name)
    {
        public override string ToString() => Name + "!";
    }

    private sealed class Generic<T>
    {
        internal static string Pair(T value) => $"{value},{value}";

        internal static string Both(T first, T second) => $"{first},{second}";

        internal Func<T> Same(T value) => () => value;
    }
}
