using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Workers that cannot be started, or are none of ours.</summary>
public sealed class WorkerStartTests
{
    [Theory]
    [InlineData("/no/such/program", "", "worker-not-started", "could not be started")]
    [InlineData("/bin/sh", "exit 3", "worker-not-started", "exit code 3")]
    [InlineData("/bin/sh", "echo broken >&2; exit 1", "worker-not-started", "broken")]
    [InlineData("/bin/sh", "echo this is no frame; cat", "worker-not-started", "is no frame")]
    [InlineData("/bin/sh", "printf '\\022\\0\\0\\0\\001\\015joblib-worker\\001\\002\\003'; cat", "worker-version", "another build")]
    public async Task Lease_WorkerIsNoneOfOurs_FailsItsWorkAndLeavesNothing(string program, string script, string heading, string said)
    {
        using var pool = new ProcessPool(Settings(new WorkerCommand(program, script.Length > 0 ? ["-c", script] : [], new Dictionary<string, string>())));
        using var lease = pool.Lease(2, TimeSpan.FromSeconds(10));
        var work = new LoneWork(lease);
        pool.Submit(work);
        var fault = Assert.IsType<JoblibException>(await work.Fault.WaitAsync(Patience.Limit));
        Assert.EndsWith($"#{heading}", fault.HelpLink, StringComparison.Ordinal);
        Assert.Contains(said, fault.Message, StringComparison.Ordinal);
        Assert.Null(pool.TryLease(1, TimeSpan.FromSeconds(10)));
        Patience.Until(() => pool.ProcessIds.Count == 0, "no process to be left");
    }

    [Fact]
    public void Build_FilesOfABuild_AreStartedByTheHost()
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var command = WorkerCommand.Build(AppContext.BaseDirectory, typeof(WorkerStartTests).Assembly.GetName().Name, runtime);
        Assert.NotNull(command);
        Assert.Equal("exec", command.Arguments[0]);
        Assert.EndsWith($"{WorkerCommand.AssemblyName}.dll", command.Arguments[^1], StringComparison.Ordinal);
        var empty = Directory.CreateTempSubdirectory("joblib-tests-");
        Assert.Null(WorkerCommand.Build(empty.FullName, "Program", runtime));
        Assert.Null(WorkerCommand.Build(AppContext.BaseDirectory, null, runtime));
        empty.Delete();
    }

    [Fact]
    public async Task Run_WorkersFileIsMissing_SaysWhichAndWhatToDo()
    {
        var program = ChildProcess.PathOf("LoopClientProgram");
        var folder = Directory.CreateTempSubdirectory("joblib-tests-");
        try
        {
            // With its list of files the program would not start at all without one of them.
            foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(program)!).Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            }

            File.Delete(Path.Combine(folder.FullName, $"{WorkerCommand.AssemblyName}.dll"));
            using var started = ChildProcess.StartFile(Path.Combine(folder.FullName, Path.GetFileName(program)), ["loky", "end"]);
            Assert.NotEqual(0, await started.ExitAsync());
            await started.LineAsync("Unhandled exception. Orleans.Joblib.JoblibException: Worker processes need 'Orleans.Joblib.Worker.dll' beside the program");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static PoolSettings Settings(WorkerCommand command) => new()
    {
        Command = command,
        Environment = new Dictionary<string, string>(),
        Code = new ProgramCode(),
        ReadInitializerFailure = PoolSettings.FailuresBy(new PayloadDecoder(new OwnCode())),
        Loggers = _ => NullLogger.Instance,
    };

    private sealed class LoneWork(PoolLease lease) : PoolWork(lease, new RemoteBatch(PoolLease.NewHandle(), 0, 0, 1, [], null, 0, null))
    {
        private readonly TaskCompletionSource<Exception> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<Exception> Fault => _fault.Task;

        internal override string FirstCallText => "lone work";

        internal override void Take(OutcomeStatus status, ReadOnlyMemory<byte> payload, TimeSpan queued) => _fault.TrySetException(new InvalidOperationException("It was executed."));

        internal override void Fail(Exception fault) => _fault.TrySetResult(fault);

        internal override void Drop() => _fault.TrySetException(new InvalidOperationException("It was dropped."));

        internal override IReadOnlyList<PoolWork>? Split() => null;
    }
}
