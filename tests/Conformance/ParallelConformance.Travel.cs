using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    [Fact]
    public void Run_CallThatCannotTravel_IsRefusedBeforeItIsMade()
    {
        using var meeting = new Rendezvous();
        using var stream = new MemoryStream([1, 2, 3]);
        using var parallel = NewParallel();
        IEnumerable<Delayed<long>> Calls() => Enumerable.Range(0, 4).Select(i => Delayed(() => meeting.Add("made") > 0 ? stream.Length : 0));
        if (Traits.RefusesWhatCannotTravel)
        {
            var thrown = Assert.IsType<CannotTravelException>(Patience.ThrownBy(() => parallel.Run(Calls())));
            Assert.Contains("captured 'stream' → MemoryStream", thrown.Message, StringComparison.Ordinal);
            Assert.Equal(0, meeting.Count("made"));
        }
        else
        {
            Assert.Equal([3, 3, 3, 3], Patience.Within(() => parallel.Run(Calls())));
        }

        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Run_ResultThatCannotTravel_IsRefused(int batchSize)
    {
        using var parallel = NewParallel(batchSize: batchSize);
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 10).Select(i => Delayed(() => i == 7 ? new MemoryStream(1) : null))));
        if (Traits.RefusesWhatCannotTravel)
        {
            Assert.Contains("MemoryStream", Assert.IsType<CannotTravelException>(thrown).Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(thrown);
        }

        Assert.Equal([0, 1, 4], Patience.Within(() => parallel.Run(Squares(3))));
    }
}
