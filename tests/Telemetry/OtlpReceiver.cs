using System.Collections.Concurrent;
using System.Net;

namespace Orleans.Joblib.Tests.Telemetry;

/// <summary>An OTLP collector's endpoint (HTTP, protobuf) on loopback that keeps what it is sent.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<OtlpSpan> _spans = new();
    private readonly ConcurrentQueue<OtlpMetric> _metrics = new();
    private readonly ConcurrentQueue<(string Service, string Body)> _logs = new();
    private readonly ConcurrentQueue<string> _faults = new();

    internal OtlpReceiver()
    {
        var port = FreePorts.Next();
        Endpoint = new Uri($"http://127.0.0.1:{port}");
        _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    internal Uri Endpoint { get; }

    internal IReadOnlyList<OtlpSpan> Spans => [.. _spans];

    internal IReadOnlyList<OtlpMetric> Metrics => [.. _metrics];

    internal IReadOnlyList<(string Service, string Body)> Logs => [.. _logs];

    /// <summary>Requests that could not be read.</summary>
    internal IReadOnlyList<string> Faults => [.. _faults];

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            try
            {
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                Take(context.Request.Url!.AbsolutePath, new Proto(body.ToArray()));
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
            catch (Exception exception)
            {
                _faults.Enqueue($"{context.Request.Url}: {exception}");
            }
        }
    }

    // The field numbers are those of opentelemetry/proto: trace.proto, metrics.proto, logs.proto.
    private void Take(string path, Proto request)
    {
        foreach (var ofResource in request.Messages(1))
        {
            var resource = ofResource.Messages(1).SelectMany(r => Attributes(r, 1)).ToDictionary();
            var service = $"{resource.GetValueOrDefault("service.name")} {resource.GetValueOrDefault("service.instance.id")}";
            foreach (var scope in ofResource.Messages(2))
            {
                foreach (var item in scope.Messages(2))
                {
                    switch (path)
                    {
                        case "/v1/traces":
                            _spans.Enqueue(new OtlpSpan(service, item.Hex(1), item.Hex(2), item.Hex(4), item.Text(5), Attributes(item, 9).ToDictionary()));
                            break;
                        case "/v1/metrics":
                            _metrics.Enqueue(new OtlpMetric(service, item.Text(1), item.Text(3)));
                            break;
                        case "/v1/logs":
                            _logs.Enqueue((service, item.Messages(5).FirstOrDefault()?.Text(1) ?? ""));
                            break;
                        default:
                            _faults.Enqueue(path);
                            break;
                    }
                }
            }
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Attributes(Proto message, int field) =>
        message.Messages(field).Select(pair => new KeyValuePair<string, string>(pair.Text(1), pair.Messages(2).FirstOrDefault()?.Value() ?? ""));
}
