using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Cli;

/// <summary>What looks at a cluster and cancels runs, against silo processes.</summary>
[Collection(nameof(CliFixture))]
public sealed class ClusterCommandTests(CliFixture fixture)
{
    private string Cluster => fixture.Cluster.Address;

    [Fact]
    public async Task Status_TwoSilos_BothWithTheirSlots()
    {
        var status = (await CliProcess.RunAsync("status", "--cluster", Cluster, "--json")).Exited(0).Json;
        Assert.Equal(4, status.GetProperty("slots").GetInt32());
        Assert.Equal(
            fixture.Cluster.Silos.Select(silo => (silo.Address.ToParsableString(), "open", silo.Id)).Order(),
            status.GetProperty("silos").EnumerateArray().Select(silo => (silo.GetProperty("silo").GetString()!, silo.GetProperty("state").GetString()!, silo.GetProperty("processId").GetInt32())).Order());

        var text = (await CliProcess.RunAsync(["status"], new Dictionary<string, string?> { ["JOBLIB_ORLEANS_CLUSTER"] = Cluster })).Exited(0).Output;
        Assert.All(fixture.Cluster.Silos, silo => Assert.Contains(silo.Address.ToParsableString(), text, StringComparison.Ordinal));
        Assert.Contains("2 silos, ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_OneFailed_NamesTheCall()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Parallel(nJobs: -1, backend: new OrleansBackend(fixture.Client)).RunAsync(Enumerable.Range(0, 20).Select(i => Delayed(FailAtSeven, i)), TestContext.Current.CancellationToken));
        JsonElement run;
        var asked = Stopwatch.GetTimestamp();
        do
        {
            // The loop is over before the cluster has heard of it.
            var runs = (await CliProcess.RunAsync("runs", "--cluster", Cluster, "--json")).Exited(0).Json.GetProperty("runs").EnumerateArray();
            run = runs.SingleOrDefault(run => run.GetProperty("state").GetString() == "failed");
        }
        while (run.ValueKind == JsonValueKind.Undefined && Stopwatch.GetElapsedTime(asked) < Patience.Limit);

        Assert.Equal(7, run.GetProperty("failure").GetProperty("callIndex").GetInt64());
        Assert.Contains("seven it is", run.GetProperty("failure").GetProperty("exception").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, run.GetProperty("endedAt").ValueKind);

        var text = (await CliProcess.RunAsync("runs", "--cluster", Cluster)).Exited(0).Output;
        Assert.Contains(run.GetProperty("run").GetString()![..8], text, StringComparison.Ordinal);
        Assert.Contains("seven it is", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"failed\"", (await CliProcess.RunAsync("runs", "--ended", "0", "--cluster", Cluster, "--json")).Exited(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WatchAndCancel_RunInProgress_IsSeenAndItsLoopFailsWithTheReason()
    {
        using var watch = CliProcess.Launch(["watch", "--interval", "0.2", "--json", "--cluster", Cluster, "--connect-timeout", "60"]);
        watch.Until(look => look.TryGetProperty("silos", out _), "a look");
        var loop = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(fixture.Client)).Run(Enumerable.Range(0, 50).Select(i => Delayed(token => WaitForEnd(i, token)))));
        var look = watch.Until(look => look.GetProperty("busySlots").GetInt32() > 0 && Open(look).Any(), "a run in progress");
        var run = Open(look).First().GetProperty("run").GetString()!;
        Assert.Equal(32, run.Length);

        var cancelled = (await CliProcess.RunAsync("cancel", run[..12].ToUpperInvariant(), "--reason", "the test said so", "--json", "--cluster", Cluster)).Exited(0).Json;
        Assert.Equal(run, cancelled.GetProperty("run").GetString());
        var error = await Assert.ThrowsAsync<JoblibException>(() => loop.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
        Assert.Equal("docs/errors.md#run-cancelled", error.HelpLink);
        Assert.Contains("the test said so", error.Message, StringComparison.Ordinal);

        watch.Until(look => look.GetProperty("runs").EnumerateArray().Any(one => one.GetProperty("run").GetString() == run && one.GetProperty("state").GetString() == "cancelled"), "the run's end");
        Assert.Equal(0, await watch.InterruptAsync());
        Assert.Contains($"run '{run}' is cancelled", (await CliProcess.RunAsync("cancel", run, "--cluster", Cluster)).Exited(1).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_NoTerminal_WritesLines()
    {
        using var watch = CliProcess.Launch(["watch", "--interval", "0.2", "--cluster", Cluster, "--connect-timeout", "60"]);
        await watch.LineAsync(DateTimeOffset.UtcNow.Year.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(0, await watch.InterruptAsync());
    }

    [Fact]
    public async Task Bench_Second_MeasuresAllAndSaysWhatToExpect()
    {
        var bench = (await CliProcess.RunAsync("bench", "--seconds", "1", "--json", "--cluster", Cluster)).Exited(0).Json;
        var measures = bench.GetProperty("measures").EnumerateArray().ToArray();
        Assert.Equal(["first-call", "one-call", "no-op-calls", "array"], measures.Select(measure => measure.GetProperty("name").GetString()));
        Assert.All(measures, measure =>
        {
            Assert.True(measure.GetProperty("value").GetDouble() > 0);
            Assert.True(measure.GetProperty("expected").GetDouble() > 0);
            Assert.True(measure.GetProperty("samples").GetInt64() > 0);
        });
        Assert.Equal((2, 4), (bench.GetProperty("silos").GetInt32(), bench.GetProperty("slots").GetInt32()));
    }

    private static IEnumerable<JsonElement> Open(JsonElement look) => look.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("state").GetString() == "running");

    private static int FailAtSeven(int i) => i == 7 ? throw new InvalidOperationException("seven it is") : i;

    private static int WaitForEnd(int i, CancellationToken token)
    {
        token.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
        return i;
    }
}
