using Xunit;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Programs with worker processes that end: in order, by Ctrl-C, by a kill. Nothing of them stays.</summary>
public sealed class ProgramEndTests
{
    [Theory]
    [InlineData("loky", 9)]
    [InlineData("loky", 2)]
    [InlineData("loky", 15)]
    [InlineData("multiprocessing", 9)]
    public async Task Signal_CallsAreStuck_EndsWorkersAndTheirChildren(string backend, int signal)
    {
        using var program = ChildProcess.Start("LoopClientProgram", [backend, "stuck"]);
        var processes = await CallsAsync(program, 2);
        Assert.All(processes, process => Assert.True(Living.IsAlive(process)));
        var files = Living.RuntimeFilesOf(processes);
        Assert.NotEmpty(files);
        program.Signal(signal);
        await program.ExitAsync();
        Living.AwaitEnd(processes);
        Patience.Until(() => !files.Any(File.Exists), "the files of the workers' runtime to go");
    }

    [Fact]
    public async Task Signal_WorkerIsStopped_EndsIt()
    {
        using var program = ChildProcess.Start("LoopClientProgram", ["loky", "stuck"]);
        var processes = await CallsAsync(program, 2);
        ChildProcess.Signal(processes[0], 19);
        await program.KillAsync();

        // A stopped process sees nothing end; the kernel wakes a group that has lost its parent.
        Living.AwaitEnd(processes);
    }

    [Fact]
    public async Task Signal_AnotherProgramRunsToo_LeavesItsWorkersAlone()
    {
        using var other = ChildProcess.Start("LoopClientProgram", ["loky", "stuck"]);
        using var program = ChildProcess.Start("LoopClientProgram", ["loky", "stuck"]);
        var others = await CallsAsync(other, 2);
        var processes = await CallsAsync(program, 2);
        Assert.Empty(processes.Intersect(others));
        await program.KillAsync();
        Living.AwaitEnd(processes);
        Assert.All(others, process => Assert.True(Living.IsAlive(process)));
        await other.KillAsync();
        Living.AwaitEnd(others);
    }

    [Fact]
    public async Task Interrupt_ProgramCancelsItsRun_StopsCallsAndGoesOn()
    {
        using var program = ChildProcess.Start("LoopClientProgram", ["loky", "interrupt"]);
        var processes = await CallsAsync(program, 2);
        program.Signal(2);
        await program.LineAsync("cancelled");
        Living.AwaitEnd(processes);
        await program.LineAsync("again 45");
        Assert.Equal(0, await program.ExitAsync());
    }

    [Theory]
    [InlineData("loky")]
    [InlineData("multiprocessing")]
    public async Task End_IdleWorkers_EndWithTheProgram(string backend)
    {
        using var program = ChildProcess.Start("LoopClientProgram", [backend, "end"]);
        var processes = await CallsAsync(program, 2);
        var files = Living.RuntimeFilesOf(processes);
        Assert.Equal(0, await program.ExitAsync());
        Living.AwaitEnd(processes);
        Patience.Until(() => !files.Any(File.Exists), "the files of the workers' runtime to go");
    }

    /// <summary>The processes of the calls and their children, by pairs.</summary>
    private static async Task<int[]> CallsAsync(ChildProcess program, int calls)
    {
        await program.LineAsync("call ");
        Patience.Until(() => Lines(program).Length == calls, "all calls to start");
        return [.. Lines(program).SelectMany(line => line.Split(' ')[1..]).Select(int.Parse).Where(process => process > 0)];
    }

    private static string[] Lines(ChildProcess program) => [.. program.Output.Split('\n').Where(line => line.StartsWith("call ", StringComparison.Ordinal))];
}
