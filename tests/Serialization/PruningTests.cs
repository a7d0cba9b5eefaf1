using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Of a closure only what is read travels, by everyone that shares it.</summary>
public sealed class PruningTests
{
    [Fact]
    public void SiblingsCapture_NeverRead_IsNotSent()
    {
        using var stream = new MemoryStream();
        var number = 5;
        Action sibling = () => stream.WriteByte((byte)number);
        sibling();
        Assert.Equal([5], Travel.Run(Delayed(() => number)));
        Assert.Throws<CannotTravelException>(() => Travel.Encode(Delayed(sibling)));
    }

    [Fact]
    public void SiblingsCapture_NeverReadOfAWrittenClosure_IsNotSent()
    {
        using var stream = new MemoryStream();
        var number = 5;
        Action sibling = () => stream.WriteByte((byte)number++);
        sibling();
        Assert.Equal([6, 12], Travel.Run(Delayed(() => number), Delayed(() => number *= 2)));
    }

    [Fact]
    public void SharedClosure_TwoLambdasReadDifferentFields_BothSeeTheirs()
    {
        var first = 1;
        var second = "two";
        var unread = new object();
        Func<string> other = () => second + unread.GetType().Name;
        Assert.NotNull(other);
        var calls = Travel.Send(
            Delayed(() =>
            {
                first++;
                return "x";
            }),
            Delayed(() => second + first),
            Delayed(() =>
            {
                second = "changed";
                return second;
            }));
        Assert.Equal(["x", "two2", "changed", "changed2"], [calls[0].Invoke(default), calls[1].Invoke(default), calls[2].Invoke(default), calls[1].Invoke(default)]);
    }

    [Fact]
    public void DelegateInTheGraph_SharesTheClosure_ItsFieldsTravelToo()
    {
        var hidden = 7;
        var shown = 1;
        Func<int> reader = () => hidden;
        var box = new object[] { reader };
        var calls = Travel.Send(
            Delayed(() => shown),
            Delayed(() =>
            {
                shown = 2;
                hidden++;
                return 0;
            }),
            Delayed(() => ((Func<int>)box[0])()));
        Assert.Equal([1, 0, 8, 2], [calls[0].Invoke(default), calls[1].Invoke(default), calls[2].Invoke(default), calls[0].Invoke(default)]);
    }

    [Fact]
    public void Reads_InNestedLambdasLocalFunctionsIteratorsAndAsync_Count()
    {
        int a = 1, b = 2, c = 3, d = 4, e = 5;
        int Local(int x) => x + b;
        IEnumerable<int> Items()
        {
            yield return c;
            yield return Local(c);
        }

        Assert.Equal(1, Travel.RunOne(() => new[] { 0 }.Select(x => x + a).Single()));
        Assert.Equal(12, Travel.RunOne(() => Local(10)));
        Assert.Equal(8, Travel.RunOne(() => Items().Sum()));
        Assert.Equal(9, Travel.Run(Delayed(async () =>
        {
            await Task.Yield();
            Func<Task<int>> inner = async () =>
            {
                await Task.Yield();
                return d;
            };
            return await inner() + e;
        }))[0]);
        Assert.Equal(15, Travel.RunOne(() =>
        {
            var deep = new Func<Func<int>>(() => () => a + b + c + d + e);
            return deep()();
        }));
    }

    [Fact]
    public void OuterClosure_OnlyWhatIsReadThroughIt_IsSent()
    {
        using var stream = new MemoryStream();
        var data = new[] { 1, 2, 3 };
        var calls = new List<Delayed<int>>();
        Action<int> log = x => stream.WriteByte((byte)(x + data.Length));
        for (var i = 0; i < 3; i++)
        {
            var index = i;
            log(index);
            calls.Add(Delayed(() => data[index]));
        }

        Assert.Equal([1, 2, 3], Travel.Run([.. calls]));
    }

    [Fact]
    public void CapturedIterator_HoldsAClosure_OnlyWhatItReads()
    {
        using var stream = new MemoryStream();
        var factor = 2;
        Action log = () => stream.WriteByte((byte)factor);
        log();
        IEnumerable<int> Doubled(int[] numbers)
        {
            foreach (var number in numbers)
            {
                yield return number * factor;
            }
        }

        Assert.Equal([2, 4], Travel.Copy(Doubled([1, 2])));
    }

    [Fact]
    public void CallsOfAnIterator_AreFlat()
    {
        var payload = Travel.Encode(Generated(5000).ToArray());
        Assert.InRange(payload.Length, 1, 5000 * 2);
        Assert.Equal(Enumerable.Range(0, 5000), Travel.Decode<int>(payload).Select(call => call.Invoke(default)));
    }

    private static IEnumerable<Delayed<int>> Generated(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var number = i;
            yield return Delayed(() => number);
        }
    }
}
