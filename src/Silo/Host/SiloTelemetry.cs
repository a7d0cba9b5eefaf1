using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Orleans.Joblib.Silo;

/// <summary>Traces, metrics and logs of the silo program on their way out: by OTLP and to Prometheus, each only when asked for.</summary>
internal static class SiloTelemetry
{
    private const string MetricsPath = "/metrics";
    private const int MetricsPeriodMilliseconds = 10_000;

    // The cluster's own business (messages, activations, membership) and the runtime's (collections, thread pool, memory).
    private static readonly string[] OtherMeters = ["Microsoft.Orleans", "System.Runtime"];

    internal static void Add(WebApplicationBuilder builder, SiloHostOptions options, IPEndPoint silo)
    {
        if (options.OtlpEndpoint is null && !options.Prometheus)
        {
            return;
        }

        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => Describe(resource, options, silo));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter([JoblibTelemetry.MeterName, .. OtherMeters]);
            if (options.Prometheus)
            {
                metrics.AddPrometheusExporter();
            }

            if (options.OtlpEndpoint is not null)
            {
                metrics.AddOtlpExporter((exporter, reader) =>
                {
                    Aim(exporter, options, "metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = MetricsPeriodMilliseconds;
                });
            }
        });
        if (options.OtlpEndpoint is null)
        {
            return;
        }

        telemetry.WithTracing(traces => traces.AddSource([JoblibTelemetry.ActivitySourceName, .. options.OtlpSources]).AddOtlpExporter(exporter => Aim(exporter, options, "traces")));
        builder.Logging.AddOpenTelemetry(logs =>
        {
            var resource = ResourceBuilder.CreateDefault();
            Describe(resource, options, silo);
            logs.SetResourceBuilder(resource).AddOtlpExporter(exporter => Aim(exporter, options, "logs"));
            logs.IncludeFormattedMessage = true;
        });
    }

    internal static void Map(WebApplication app, SiloHostOptions options)
    {
        if (options.Prometheus)
        {
            app.MapPrometheusScrapingEndpoint(MetricsPath);
        }
    }

    private static void Describe(ResourceBuilder resource, SiloHostOptions options, IPEndPoint silo) => resource.AddService(
        "joblib-silo", options.Cluster.Cluster, typeof(JoblibTelemetry).Assembly.GetName().Version?.ToString(3), serviceInstanceId: $"{options.AdvertisedAddress}:{silo.Port}");

    private static void Aim(OtlpExporterOptions exporter, SiloHostOptions options, string signal)
    {
        var isHttp = options.OtlpProtocol == OtlpProtocol.HttpProtobuf;
        exporter.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.Endpoint = isHttp ? new Uri($"{options.OtlpEndpoint!.ToString().TrimEnd('/')}/v1/{signal}") : options.OtlpEndpoint!;
    }
}
