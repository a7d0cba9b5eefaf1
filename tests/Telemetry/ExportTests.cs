using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Telemetry;

/// <summary>Silos as processes that send to a collector's endpoint, and give Prometheus what it asks for.</summary>
[Collection(nameof(TelemetryTests))]
public sealed class ExportTests
{
    [Theory]
    [InlineData("Threads")]
    [InlineData("Processes")]
    public async Task Run_OnSilos_IsOneTraceOverClientCoordinatorSilosAndWorkers(string workers)
    {
        using var collector = new OtlpReceiver();
        await using var cluster = await SiloCluster.StartAsync(
            silos: 2, slots: 2, "--workers", workers, "--otlp-endpoint", collector.Endpoint.ToString(), "--otlp-protocol", "HttpProtobuf");
        await using (var connection = await cluster.ConnectAsync())
        using (Sdk.CreateTracerProviderBuilder().AddSource(JoblibTelemetry.ActivitySourceName)
            .ConfigureResource(resource => resource.AddService("client", serviceInstanceId: "1"))
            .AddOtlpExporter(exporter => (exporter.Protocol, exporter.Endpoint) = (OtlpExportProtocol.HttpProtobuf, new Uri(collector.Endpoint, "/v1/traces")))
            .Build())
        {
            using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 2);
            using var meeting = new Rendezvous();

            // Every slot has a batch before any goes on, so that both silos have spans.
            var values = parallel.RunAsync(
                Enumerable.Range(0, 40).Select(i => Delayed(() =>
                {
                    meeting.Note("process", $"{i}");
                    meeting.Await("go", "the test to let calls end");
                    return i;
                })),
                TestContext.Current.CancellationToken);
            Patience.Until(() => meeting.Noted("process").Length >= 4, "every slot to be in a call");
            meeting.Set("go");
            Assert.Equal(Enumerable.Range(0, 40), await values.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));

            // It finds the slots granted.
            Assert.Equal([1, 2], parallel.Run([Delayed(Math.Abs, -1), Delayed(Math.Abs, -2)]));
        }

        // What is left to send is sent when they stop.
        foreach (var silo in cluster.Silos)
        {
            silo.Terminate();
            Assert.Equal(0, await silo.ExitAsync());
        }

        Assert.Empty(collector.Faults);
        var spans = collector.Spans;
        var runs = spans.Where(span => span.Name == "joblib.run").ToArray();
        Assert.Equal(2, runs.Length);
        Assert.Equal(runs.Select(one => one.Trace).Order(), spans.Select(span => span.Trace).Distinct().Order());
        Assert.All(runs, one =>
        {
            Assert.Equal("client 1", one.Service);
            var coordinate = Assert.Single(spans, span => span.Name == "joblib.coordinate" && span.Trace == one.Trace);
            Assert.Equal(one.Id, coordinate.Parent);
            Assert.StartsWith("joblib-silo ", coordinate.Service);
            Assert.Equal("4", coordinate.Attributes["joblib.slots"]);
        });
        var run = runs.Single(one => spans.Count(span => span.Name == "joblib.batch" && span.Trace == one.Trace) == 20);
        spans = [.. spans.Where(span => span.Trace == run.Trace)];

        var batches = spans.Where(span => span.Name == "joblib.batch").ToDictionary(span => span.Id);
        Assert.Equal(20, batches.Count);
        Assert.All(batches.Values, batch => Assert.Equal((run.Id, "client 1"), (batch.Parent, batch.Service)));

        var executes = spans.Where(span => span.Name == "joblib.execute").ToArray();
        Assert.Equal(batches.Keys.Order(), executes.Select(execute => execute.Parent).Distinct().Order());
        Assert.Equal(
            cluster.Silos.Select(silo => $"joblib-silo {silo.Address.Endpoint}").Order(),
            executes.Select(execute => execute.Service).Distinct().Order());

        // What silos measure, under their names and units.
        foreach (var (name, unit) in new[] { ("joblib.slots", "{slot}"), ("joblib.slots.in_use", "{slot}"), ("joblib.batches.queued", "{batch}"), ("joblib.runs.open", "{run}") })
        {
            Assert.Equal(2, collector.Metrics.Where(metric => metric.Name == name && metric.Unit == unit).Select(metric => metric.Service).Distinct().Count());
        }

        Assert.Contains(collector.Logs, log => log.Service.StartsWith("joblib-silo ", StringComparison.Ordinal) && log.Body.Contains("Draining", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Prometheus_Asked_HasTheSilosMetrics()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1, slots: 3, "--prometheus", "true");
        using var http = new HttpClient();
        var text = await http.GetStringAsync(new Uri(cluster.Silos[0].Health, "/metrics"), TestContext.Current.CancellationToken);
        Assert.Matches("(?m)^joblib_slots\\{[^}]*\\} 3$", text);
        Assert.Matches("(?m)^joblib_batches_queued\\{[^}]*\\} 0$", text);
        Assert.Contains("dotnet_gc_", text);
    }

    [Fact]
    public async Task Prometheus_NotAsked_IsNotThere()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1);
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(cluster.Silos[0].Health, "/metrics"), TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Run_CollectorIsAway_RunsAndStops()
    {
        await using var cluster = await SiloCluster.StartAsync(silos: 1, slots: 2, "--otlp-endpoint", $"http://127.0.0.1:{FreePorts.Next()}", "--otlp-protocol", "HttpProtobuf");
        await using (var connection = await cluster.ConnectAsync())
        {
            using var parallel = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client));
            var values = Patience.Within(() => parallel.Run(from i in Enumerable.Range(0, 100) select Delayed(() => i)));
            Assert.Equal(Enumerable.Range(0, 100), values);
        }

        cluster.Silos[0].Terminate();
        Assert.Equal(0, await cluster.Silos[0].ExitAsync());
    }
}
