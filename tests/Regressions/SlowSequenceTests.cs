using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

public sealed class SlowSequenceTests
{
    // Before the fix the look-ahead read a call for each of the jobs, however long that took: the clock was only looked at after every 16 calls of a batch.
    [Fact]
    public void Run_EveryCallOfTheSequenceTakesItsTime_TheFirstStartsBeforeTheThirdIsTaken()
    {
        using var started = new ManualResetEventSlim();
        using var parallel = Parallel(nJobs: 8, preDispatch: "all");
        var inTime = true;
        Assert.Equal(Enumerable.Range(0, 8), Patience.Within(() => parallel.Run(Calls())));
        Assert.True(inTime);

        IEnumerable<Delayed<int>> Calls()
        {
            for (var i = 0; i < 8; i++)
            {
                if (i < 2)
                {
                    // The work of making a call.
                    Thread.Sleep(TimeSpan.FromMilliseconds(60));
                }
                else
                {
                    inTime = inTime && started.Wait(Patience.Limit / 3);
                }

                var result = i;
                yield return Delayed(() =>
                {
                    started.Set();
                    return result;
                });
            }
        }
    }
}
