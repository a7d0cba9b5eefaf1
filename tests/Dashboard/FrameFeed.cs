using System.Text.Json;

namespace Orleans.Joblib.Tests.Dashboard;

/// <summary>A page of the dashboard, without a browser: reads frames.</summary>
internal sealed class FrameFeed : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly StreamReader _reader;
    private readonly HttpClient? _http;
    private readonly IAsyncDisposable? _owned;

    private FrameFeed(StreamReader reader, HttpClient? http, IAsyncDisposable? owned) => (_reader, _http, _owned) = (reader, http, owned);

    /// <summary>All batches that ended in frames so far.</summary>
    internal List<Batch> Batches { get; } = [];

    internal List<(string Silo, string What)> Events { get; } = [];

    internal static async Task<FrameFeed> OpenAsync(HttpClient http, IAsyncDisposable? owned = null) =>
        new(new StreamReader(await http.GetStreamAsync("frames")), owned is null ? null : http, owned);

    /// <summary>Reads on until a frame is as it should be.</summary>
    internal async Task<Frame> UntilAsync(Func<Frame, bool> isIt)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            var line = await _reader.ReadLineAsync(patience.Token) ?? throw new HungException("a frame: the feed has ended");
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
            {
                continue;
            }

            var raw = JsonSerializer.Deserialize<JsonElement>(line["data: ".Length..]);
            Batches.AddRange(BatchesOf(raw, "batches"));
            if (raw.TryGetProperty("events", out var events))
            {
                Events.AddRange(events.EnumerateArray().Select(e => (e.GetProperty("silo").GetString()!, e.GetProperty("what").GetString()!)));
            }

            if (!raw.TryGetProperty("silos", out var silos))
            {
                continue;
            }

            var frame = new Frame([.. BatchesOf(raw, "running")], silos.Deserialize<List<Silo>>(Json)!, raw.GetProperty("runs").Deserialize<List<Run>>(Json)!);
            if (isIt(frame))
            {
                return frame;
            }
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _http?.Dispose();
        _owned?.DisposeAsync().AsTask().Wait(Patience.Limit);
    }

    private static IEnumerable<Batch> BatchesOf(JsonElement frame, string name) =>
        frame.TryGetProperty(name, out var batches) ? batches.EnumerateArray().Select(b => new Batch(b[1].GetInt32(), b[2].GetString()!, b[5].GetInt32(), b[6].GetInt32() == 1)) : [];

    internal sealed record Frame(List<Batch> Running, List<Silo> Silos, List<Run> Runs);

    internal sealed record Batch(int Worker, string Run, int Calls, bool Failed);

    internal sealed record Silo(string Id, int Process, int Slots, int Busy);

    internal sealed record Run(string Id, string State, long Calls, long FailedBatches, long? Completed, long? Total, Failure? Failure);

    internal sealed record Failure(string Exception, long? CallIndex, string? Call, string? Stack, string? Worker);
}
