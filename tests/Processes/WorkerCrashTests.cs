using System.Diagnostics;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Workers that die, in every way that there is. They share the pool with all other tests that run now.</summary>
public sealed class WorkerCrashTests
{
    [Theory]
    [InlineData("loky", Crash.Kill, "exit code 137, SIGKILL")]
    [InlineData("loky", Crash.StackOverflow, "exit code 134, SIGABRT")]
    [InlineData("loky", Crash.FailFast, "exit code 134, SIGABRT")]
    [InlineData("loky", Crash.Segfault, "exit code 139, SIGSEGV")]
    [InlineData("loky", Crash.Exit, "exit code 7")]
    [InlineData("loky", Crash.Unhandled, "exit code 134, SIGABRT")]
    [InlineData("multiprocessing", Crash.Kill, "exit code 137, SIGKILL")]
    [InlineData("multiprocessing", Crash.Segfault, "exit code 139, SIGSEGV")]
    public void Run_CallEndsItsProcess_FailsNamingCallAndExit(string backend, Crash crash, string exit)
    {
        using var other = Parallel(2, backend, batchSize: 1);
        var unharmed = other.RunAsync(Enumerable.Range(0, 60).Select(i => Delayed(Nap, i)));
        using var parallel = Parallel(2, backend, batchSize: 8);
        var thrown = Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(CrashAt, i, 17, crash))));
        var message = Assert.IsType<TerminatedWorkerException>(thrown).Message;
        Assert.Contains($"call 17, {nameof(WorkerCrashTests)}.{nameof(CrashAt)}(17, 17, {crash})", message, StringComparison.Ordinal);
        Assert.Contains(exit, message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 40), Patience.Within(() => parallel.Run(Enumerable.Range(0, 40).Select(i => Delayed(CrashAt, i, 17, Crash.None)))));
        Assert.Equal(Enumerable.Range(0, 60), Patience.Await(unharmed, "a run that shares the pool"));
        Patience.Until(() => !Living.Zombies().Any(), "no zombie to be left");
    }

    [Fact]
    public void Run_CallFailsFast_SaysItsLastWords()
    {
        using var parallel = Parallel(2, "loky", batchSize: 1);
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(Crashes.Make, Crash.FailFast)]));
        Assert.Contains("failed fast", Assert.IsType<TerminatedWorkerException>(thrown).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    public void Run_WorkersDieOnce_EveryResultArrives(int batchSize)
    {
        using var meeting = new Rendezvous();
        using var parallel = Parallel(2, "loky", batchSize: batchSize);
        var results = Patience.Within(() => parallel.Run(Enumerable.Range(0, 100).Select(i => Delayed(() =>
        {
            if (i % 25 == 3 && meeting.Add($"death {i}") == 1)
            {
                Crashes.Make(Crash.Kill);
            }

            return i * i;
        }))));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i * i), results);
    }

    [Fact]
    public void Run_WorkerKilledFromOutside_EveryResultArrives()
    {
        using var meeting = new Rendezvous();
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1);
        var running = parallel.RunAsync(Enumerable.Range(0, 20).Select(i => Delayed(() =>
        {
            meeting.Note("started", Environment.ProcessId);
            meeting.Await("release", "a worker to be killed");
            return i;
        })));
        Patience.Until(() => meeting.Noted("started").Length > 0, "a call to start");
        var worker = int.Parse(meeting.Noted("started")[0]);
        var files = Living.RuntimeFilesOf(worker);
        Assert.NotEmpty(files);
        Process.GetProcessById(worker).Kill();
        meeting.Set("release");
        Assert.Equal(Enumerable.Range(0, 20), Patience.Await(running, "the run"));
        Patience.Until(() => !files.Any(File.Exists), "the files of the worker's runtime to go");
    }

    [Fact]
    public void Run_AsOutcomeCallEndsItsProcess_FailsTheRun()
    {
        using var parallel = Parallel(2, "loky", batchSize: 4);
        Assert.IsType<TerminatedWorkerException>(Patience.ThrownBy(() => parallel.Run(Enumerable.Range(0, 8).Select(i => Delayed(CrashAt, i, 5, Crash.Kill).AsOutcome()))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_WorkerDiesOrIsStopped_ItsChildrenGoToo(bool dies)
    {
        using var meeting = new Rendezvous();
        using var cancelling = new CancellationTokenSource();
        using var parallel = Parallel(2, "loky", batchSize: 1);
        var running = Task.Run(() => Patience.ThrownBy(() => parallel.Run(
            [
                Delayed(() =>
                {
                    using var process = Process.Start("sleep", "600");
                    meeting.Note("children", process.Id);
                    return dies ? Crashes.Make(Crash.Kill) : Forever();
                }),
            ],
            cancelling.Token)));
        Patience.Until(() => meeting.Noted("children").Length > 0, "the call to start a process");
        if (!dies)
        {
            cancelling.Cancel();
        }

        Assert.IsType(dies ? typeof(TerminatedWorkerException) : typeof(OperationCanceledException), Patience.Await(running, "the run to end"));
        Living.AwaitEnd(meeting.Noted("children").Select(int.Parse));
    }

    [Fact]
    public void Run_OutOfMemory_IsAnErrorAndThePoolLivesOn()
    {
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1);
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(FillMemory)]));
        Assert.True(thrown is OutOfMemoryException or TerminatedWorkerException, thrown?.ToString());
        Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(Nap, i)))));
    }

    [Fact]
    public void Run_OverTheMemoryOfAControlGroup_FailsNamingTheSignalAndThePoolLivesOn()
    {
        using var group = MemoryGroup.TryMake(64 << 20);
        Assert.SkipWhen(group is null, "No control group can be made here: not root, or not Linux.");
        var directory = group.Directory;
        using var parallel = Parallel(2, "multiprocessing", batchSize: 1);
        var thrown = Patience.ThrownBy(() => parallel.Run([Delayed(() => FillMemoryOf(directory))]));
        Assert.Contains("exit code 137, SIGKILL", Assert.IsType<TerminatedWorkerException>(thrown).Message, StringComparison.Ordinal);
        Assert.Equal([0, 1], Patience.Within(() => parallel.Run(Enumerable.Range(0, 2).Select(i => Delayed(Nap, i)))));
    }

    internal static int CrashAt(int i, int where, Crash crash) => i == where && crash != Crash.None ? Crashes.Make(crash) : i;

    private static int Nap(int i)
    {
        Thread.Sleep(2);
        return i;
    }

    private static int Forever()
    {
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static int FillMemoryOf(string group)
    {
        MemoryGroup.Enter(group);
        var bytes = new byte[1 << 30];
        bytes.AsSpan().Fill(1);
        return bytes[^1];
    }

    private static int FillMemory()
    {
        Limits.DataTo(600 << 20);
        var kept = new List<byte[]>();
        while (true)
        {
            var bytes = new byte[16 << 20];
            bytes.AsSpan().Fill(1);
            kept.Add(bytes);
        }
    }
}
