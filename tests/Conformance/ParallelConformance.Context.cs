using System.Globalization;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public abstract partial class ParallelConformance
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact]
    public void Run_CallersCultureAndAsyncLocals_ReachTheCalls()
    {
        if (!Traits.RunsCallsInThisProcess)
        {
            // What flows with the caller is not part of the call: another process starts from its own.
            Ambient.Value = "caller's";
            using var elsewhere = NewParallel(batchSize: 1);
            Assert.All(Patience.Within(() => elsewhere.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => Ambient.Value)))), Assert.Null);
            return;
        }

        var previous = CultureInfo.CurrentCulture;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = "·";
        try
        {
            CultureInfo.CurrentCulture = culture;
            Ambient.Value = "caller's";
            using var parallel = NewParallel(batchSize: 1);
            var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => $"{1.5} {Ambient.Value}"))));
            Assert.All(results, result => Assert.Equal("1·5 caller's", result));
        }
        finally
        {
            CultureInfo.CurrentCulture = previous;
            Ambient.Value = null;
        }
    }

    [Fact]
    public void Run_CallsChangeTheirContext_TheCallersStays()
    {
        if (Traits.RunsCallsHere)
        {
            return; // The calls are the caller's own thread, as in joblib.
        }

        Ambient.Value = "caller's";
        using var parallel = NewParallel(batchSize: 1);
        Patience.Within(() =>
        {
            parallel.Run(Enumerable.Range(0, 20).Select(i => Delayed(() => Ambient.Value = "call's")));
            Assert.Equal("caller's", Ambient.Value);
        });
    }

    [Fact]
    public void Run_Sequence_IsReadInTheCallersContextOnWhateverThread()
    {
        Ambient.Value = "caller's";
        using var config = ParallelConfig(verbose: 0, tempFolder: "callers");
        var seen = new List<string?>();
        IEnumerable<Delayed<int>> Calls()
        {
            for (var i = 0; i < 50; i++)
            {
                seen.Add($"{Ambient.Value} {ConfigFrame.Current.TempFolder}");
                yield return Delayed(() =>
                {
                    Ambient.Value = "call's";
                    return 1;
                });
            }
        }

        using var parallel = NewParallel(preDispatch: 2, batchSize: 1);
        Patience.Within(() => parallel.Run(Calls()));
        if (!Traits.RunsCallsHere)
        {
            Assert.Equal(Enumerable.Repeat("caller's callers", 50), seen);
        }
    }

    [Fact]
    public async Task ParallelConfig_AroundAwaits_DecidesTheBackendAndTheJobs()
    {
        using (ParallelConfig(Traits.Name, nJobs: NJobs))
        {
            await Task.Yield();
            await using var parallel = Parallel();
            Assert.Equal($"Parallel(n_jobs={NJobs})", parallel.ToString());
            Assert.Equal(Traits.Name, ConfigFrame.Current.Backend?.Name);
            Assert.Equal(new[] { 0, 1, 4 }, await parallel.RunAsync(Squares(3)).WaitAsync(Patience.Limit));
            await Task.Run(() => Assert.Equal(Traits.Name, ConfigFrame.Current.Backend?.Name));
        }

        Assert.Null(ConfigFrame.Current.Backend);
    }

    [Fact]
    public void Run_NestedLoops_RunInParallelOneLevelDownAndHereBelow()
    {
        using var parallel = NewParallel();
        var ranHere = Patience.Within(() => parallel.Run([Delayed(() => NestedRanHere(3))]))[0];
        Assert.Equal(Enumerable.Range(1, 3).Select(level => level > Traits.ParallelLevelsBelow), ranHere);
    }

    [Fact]
    public void Run_NestedLoopsWithTheContextSuppressed_StillTurnSequential()
    {
        using var parallel = NewParallel();
        var ranHere = Patience.Within(() =>
        {
            using var flow = ExecutionContext.SuppressFlow();
            return parallel.Run([Delayed(() => NestedRanHere(3))])[0];
        });
        Assert.Equal(Enumerable.Range(1, 3).Select(level => level > Traits.ParallelLevelsBelow), ranHere);
    }

    [Fact]
    public void Run_NestedLoopThatSaysNothing_RunsHere()
    {
        using var parallel = NewParallel();
        Assert.True(Patience.Within(() => parallel.Run([Delayed(() =>
        {
            var here = Environment.CurrentManagedThreadId;
            return Parallel().Run([Delayed(() => Environment.CurrentManagedThreadId)])[0] == here;
        })]))[0]);
    }

    /// <summary>For each level below this one: whether its calls ran on the thread that runs the loop.</summary>
    private static List<bool> NestedRanHere(int levels)
    {
        if (levels == 0)
        {
            return [];
        }

        var here = Environment.CurrentManagedThreadId;
        using var nested = Parallel(nJobs: 2);
        return nested.Run([Delayed(() =>
        {
            var ranHere = Environment.CurrentManagedThreadId == here;
            return NestedRanHere(levels - 1).Prepend(ranHere).ToList();
        })])[0];
    }
}
