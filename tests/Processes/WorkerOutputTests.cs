using Microsoft.Extensions.Logging;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>What calls write to the console in worker processes.</summary>
public sealed class WorkerOutputTests
{
    [Fact]
    public async Task Output_OfCallsAndTheirProcesses_ArrivesInWholeLines()
    {
        using var program = ChildProcess.Start("LoopClientProgram", ["loky", "output"]);
        Assert.Equal(0, await program.ExitAsync());
        var lines = program.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches("^(out \\d+ \\d+ x{200}|err \\d+ \\d+ y{200}|child \\d+)$", line));
        Assert.Equal(1000, lines.Count(line => line.StartsWith("out", StringComparison.Ordinal)));
        Assert.Equal(1000, lines.Count(line => line.StartsWith("err", StringComparison.Ordinal)));

        // In the order of each call.
        foreach (var call in lines.Where(line => line.StartsWith("out", StringComparison.Ordinal)).GroupBy(line => line.Split(' ')[1]))
        {
            Assert.Equal(Enumerable.Range(0, 50), call.Select(line => int.Parse(line.Split(' ')[2])));
        }
    }

    [Fact]
    public void Log_OfCalls_ArrivesInTheProgramsOwnLog()
    {
        var word = Guid.NewGuid().ToString();
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1);
        Patience.Within(() => parallel.Run(Enumerable.Range(0, 3).Select(i => Delayed(TravelCases.Talk.Log, word, i))));
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1, CapturedLog.Instance.Count(LogLevel.Warning, $"Heard {word} {i}")));
        Assert.False(CapturedLog.Instance.Has(LogLevel.Trace, word));
    }
}
