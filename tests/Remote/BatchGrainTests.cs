using System.Collections.Concurrent;
using Orleans.Joblib.Tests.Grains;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>Batches that come as bytes, message by message: which way their outcome goes.</summary>
public sealed class BatchGrainTests(BatchGrainTests.Cluster cluster) : IClassFixture<BatchGrainTests.Cluster>, IAsyncLifetime
{
    private readonly Guid _run = Guid.NewGuid();
    private readonly Observer _observed = new();
    private readonly string _executions = Path.GetTempFileName();
    private readonly ClientCode _code = ClientCode.Of(cluster.Client);
    private IRunObserver _observer = null!;
    private SlotGrant _slot = null!;
    private IBatchGrain _grain = null!;

    public async ValueTask InitializeAsync()
    {
        _observer = cluster.Client.CreateObjectReference<IRunObserver>(_observed);
        var request = new RunRequest(1, TimeSpan.FromSeconds(30), "test") { Observer = _observer };
        _slot = Assert.Single((await cluster.Client.GetGrain<ICoordinatorGrain>(_run).StartAsync(request, [])).Slots);
        _grain = cluster.Client.GetGrain<IBatchGrain>(new SlotKey(_run, _slot.Number, _slot.Silo).ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.Client.GetGrain<ICoordinatorGrain>(_run).EndAsync();
        cluster.Client.DeleteObjectReference<IRunObserver>(_observer);
        File.Delete(_executions);
    }

    [Fact]
    public async Task Execute_AwaitedAndShort_OutcomeComesWithTheAnswerAlone()
    {
        var answer = await UntilAnsweredAsync();
        Assert.Equal((BatchStatus.Accepted, OutcomeStatus.Completed), (answer.Status, answer.Outcome!.Status));
        Assert.Equal([answer.Outcome.Handle], await InHandAsync());
        Assert.DoesNotContain(answer.Outcome.Handle, _observed.Outcomes.Keys);

        await SendAsync(handle: 1000, awaits: false, received: [answer.Outcome.Handle]);
        await TwoSilos.EventuallyAsync(async () => (await InHandAsync()).Length == 0);
        Assert.Equal([1000], _observed.Outcomes.Keys.Where(handle => handle >= 1000));
    }

    [Fact]
    public async Task Execute_AnswerWasLost_SameMessageAgainBringsTheOutcomeWithoutASecondExecution()
    {
        var lost = await UntilAnsweredAsync();
        var executions = File.ReadAllText(_executions);
        var again = await SendAsync(lost.Outcome!.Handle, awaits: true);
        Assert.Equal(BatchStatus.Accepted, again.Status);
        Assert.Null(again.Outcome);
        await TwoSilos.EventuallyAsync(async () => (await InHandAsync()).Length == 0);
        Assert.Equal(lost.Outcome.Payload, _observed.Outcomes[lost.Outcome.Handle].Payload);
        Assert.Equal(executions, File.ReadAllText(_executions));
    }

    [Fact]
    public async Task Execute_AwaitedAndLong_AnswerComesFirstAndTheOutcomeByTheObserver()
    {
        var gate = _executions + ".gate";
        var answer = await SendAsync(handle: 1, awaits: true, [Delayed(() =>
        {
            while (!File.Exists(gate))
            {
                Thread.Sleep(1);
            }

            return 1;
        })]);
        Assert.Equal(BatchStatus.Accepted, answer.Status);
        Assert.Null(answer.Outcome);
        long[] alone = [1];
        Assert.Equal(alone, await InHandAsync());
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await TwoSilos.EventuallyAsync(async () => (await InHandAsync()).Length == 0);
        Assert.Equal(OutcomeStatus.Completed, _observed.Outcomes[1].Status);
        File.Delete(gate);
    }

    /// <summary>Sends batches until one has its outcome with the answer: on a busy machine the first may take longer than the silo waits.</summary>
    private async Task<BatchAnswer> UntilAnsweredAsync()
    {
        BatchAnswer? answer = null;
        var handle = 0;
        await TwoSilos.EventuallyAsync(async () => (answer = await SendAsync(++handle, awaits: true)).Outcome is not null);
        await TwoSilos.EventuallyAsync(async () => (await InHandAsync()).Length == 1);
        return answer!;
    }

    private Task<BatchAnswer> SendAsync(long handle, bool awaits, long[]? received = null)
    {
        var file = _executions;
        return SendAsync(handle, awaits, [Delayed(() => Append(file, $"{handle} "))], received);
    }

    private async Task<BatchAnswer> SendAsync(long handle, bool awaits, Delayed<int>[] calls, long[]? received = null)
    {
        var payload = _code.Encoder.EncodeCalls<int>(calls);
        var code = ClientCode.Snapshot();
        await _code.Shipper.EnsureAsync(_slot.Silo, code);
        var batch = new RemoteBatch(handle, handle, handle, calls.Length, payload, Timeout: null, NestingLevel: 1, TraceParent: null);
        return await _grain.ExecuteRemoteAsync(new RemoteBatchRequest(code.Manifest.Id, [batch], awaits, received));
    }

    private async Task<long[]> InHandAsync() => (await cluster.Client.GetGrain<ISiloSlotsGrain>(SlotKey.ForSilo(_slot.Silo)).CheckAsync(_run)).InHand;

    private static int Append(string file, string text)
    {
        File.AppendAllText(file, text);
        return text.Length;
    }

    public sealed class Cluster() : RemoteClusterFixture("tests-batch-grain", silos: 1, slotsPerSilo: 1);

    private sealed class Observer : IRunObserver
    {
        public Task CancelledAsync(string reason) => Task.CompletedTask;

        internal ConcurrentDictionary<long, BatchOutcome> Outcomes { get; } = [];

        public Task BatchesEndedAsync(BatchOutcome[] outcomes)
        {
            foreach (var outcome in outcomes)
            {
                Outcomes[outcome.Handle] = outcome;
            }

            return Task.CompletedTask;
        }
    }
}
