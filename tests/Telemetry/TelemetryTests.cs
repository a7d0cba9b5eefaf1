using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Telemetry;

[Collection(nameof(TelemetryTests))]
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class TelemetryTests
{
    [Theory]
    [InlineData("threading")]
    [InlineData("loky")]
    [InlineData("orleans")]
    public async Task Run_Traced_LinksRunBatchAndExecute(string backend)
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        using var registered = RegisterOrleans(cluster.Client);
        var spans = new List<Activity>();
        using (Sdk.CreateTracerProviderBuilder().AddSource(JoblibTelemetry.ActivitySourceName).AddInMemoryExporter(spans).Build())
        {
            Parallel(nJobs: 2, backend: backend, batchSize: 5).Run(from i in Enumerable.Range(0, 20) select Delayed(() => i));
        }

        var run = Assert.Single(spans, span => span.OperationName == "joblib.run");
        var batches = spans.Where(span => span.OperationName == "joblib.batch").ToArray();
        var executes = spans.Where(span => span.OperationName == "joblib.execute").ToArray();
        Assert.NotEmpty(batches);
        Assert.Equal(20, batches.Sum(batch => (int)batch.GetTagItem("joblib.calls")!));
        Assert.All(batches, batch => Assert.Equal(run.SpanId, batch.ParentSpanId));
        Assert.Equal(batches.Select(batch => batch.SpanId).ToHashSet(), executes.Select(execute => execute.ParentSpanId).ToHashSet());
        Assert.All(spans, span => Assert.Equal(run.TraceId, span.TraceId));
        Assert.Equal(backend, run.GetTagItem("joblib.backend"));
    }

    /// <summary>What a batch pays for telemetry that nobody listens to: benchmarks/results/README.md has the figure.</summary>
    [Fact(Explicit = true)]
    public void Cost_OfABatchWhenNobodyListens()
    {
        const int Batches = 100_000_000;
        for (var round = 0; round < 5; round++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var batch = 0; batch < Batches; batch++)
            {
                // As a batch to a silo goes: dispatched, sent, taken up, executed, ended, its outcome taken.
                using var span = JoblibInstruments.StartBatch(default, batch, 1);
                JoblibInstruments.PayloadSent(batch);
                JoblibInstruments.SlotTaken();
                using var execute = JoblibInstruments.StartExecute(default, 1);
                JoblibInstruments.SlotFreed();
                if (JoblibInstruments.MeasuresBatches)
                {
                    Assert.Fail("Somebody listens.");
                }
            }

            Console.WriteLine($"telemetry: {Stopwatch.GetElapsedTime(started).TotalNanoseconds / Batches:0.00} ns a batch");
        }
    }

    [Fact]
    public void Run_TracedInWorkerProcesses_ShowsTheCallsOwnSpansWithTheirIds()
    {
        var spans = new List<Activity>();
        string[] ids;
        using (Sdk.CreateTracerProviderBuilder().AddSource(JoblibTelemetry.ActivitySourceName).AddSource("TravelCases").AddInMemoryExporter(spans).Build())
        {
            ids = Parallel(nJobs: 2, backend: "loky", batchSize: 1).Run(Enumerable.Range(0, 4).Select(_ => Delayed(TravelCases.Talk.Trace)));
        }

        var own = spans.Where(span => span.OperationName == "talk").ToArray();
        var executes = spans.Where(span => span.OperationName == "joblib.execute").ToDictionary(span => span.SpanId);
        Assert.Equal(ids.Order(), own.Select(span => span.Id!).Order());
        Assert.All(own, span =>
        {
            Assert.Equal("TravelCases", span.Source.Name);
            Assert.Equal(42, span.GetTagItem("answer"));
            Assert.True(executes.ContainsKey(span.ParentSpanId));
            Assert.True(span.Duration > TimeSpan.Zero);
        });
    }

    [Theory]
    [InlineData("threading")]
    [InlineData("loky")]
    [InlineData("orleans")]
    public async Task Run_Measured_CountsCallsBatchesAndTimes(string backend)
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        using var registered = RegisterOrleans(cluster.Client);
        var metrics = new List<MetricSnapshot>();
        using (Sdk.CreateMeterProviderBuilder().AddMeter(JoblibTelemetry.MeterName).AddInMemoryExporter(metrics).Build())
        {
            Parallel(nJobs: 2, backend: backend).Run(from i in Enumerable.Range(0, 100) select Delayed(() => i));
            Assert.Throws<InvalidTimeZoneException>(() => Parallel(nJobs: 2, backend: backend).Run([Delayed(new Func<int>(() => throw new InvalidTimeZoneException()))]));
        }

        Assert.Equal(100, Sum("joblib.calls", "completed"));
        Assert.Equal(1, Sum("joblib.calls", "failed"));
        Assert.Equal(1, Sum("joblib.runs", "completed"));
        Assert.Equal(1, Sum("joblib.runs", "failed"));
        var duration = Assert.Single(metrics, metric => metric.Name == "joblib.batch.duration");
        Assert.Equal("s", duration.Unit);
        Assert.Equal(Sum("joblib.batches", "completed"), duration.MetricPoints.Where(point => Has(point, "completed")).Sum(point => point.GetHistogramCount()));
        Assert.Contains(metrics, metric => metric.Name == "joblib.batch.queue.duration");
        if (backend == "orleans")
        {
            Assert.Equal(0, metrics.Single(metric => metric.Name == "joblib.slots.in_use").MetricPoints.Single().GetSumLong());
        }

        long Sum(string name, string outcome) =>
            metrics.Single(metric => metric.Name == name).MetricPoints.Where(point => Has(point, outcome)).Sum(point => point.GetSumLong());

        bool Has(MetricPoint point, string outcome)
        {
            var tags = new Dictionary<string, object?>();
            foreach (var tag in point.Tags)
            {
                tags[tag.Key] = tag.Value;
            }

            return Equals(tags["outcome"], outcome) && Equals(tags["backend"], backend);
        }
    }
}
