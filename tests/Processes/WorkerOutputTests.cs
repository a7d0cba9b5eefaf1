using Xunit;

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
}
