using System.Text.Json;
using Xunit;

namespace Orleans.Joblib.Tests.Dashboard;

/// <summary>A page of the dashboard, without a browser: reads frames.</summary>
internal sealed class FrameFeed : IDisposable
{
    private readonly Dictionary<string, RunReportLine> _runs = [];
    private readonly StreamReader _reader;
    private readonly HttpClient? _http;
    private readonly IAsyncDisposable? _owned;

    private FrameFeed(StreamReader reader, HttpClient? http, IAsyncDisposable? owned) => (_reader, _http, _owned) = (reader, http, owned);

    /// <summary>All batches that ended in frames so far.</summary>
    internal List<Batch> Batches { get; } = [];

    internal List<(string Silo, string What)> Events { get; } = [];

    /// <summary>In how many frames each run was.</summary>
    internal Dictionary<string, int> TimesTold { get; } = [];

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

            foreach (var run in raw.GetProperty("runs").Deserialize<RunReportLine[]>(ReportJson.Options)!)
            {
                TimesTold[run.Run] = TimesTold.GetValueOrDefault(run.Run) + 1;
                _runs[run.Run] = run;
            }

            foreach (var gone in raw.GetProperty("gone").EnumerateArray())
            {
                Assert.True(_runs.Remove(gone.GetString()!));
            }

            var frame = new Frame([.. BatchesOf(raw, "running")], silos.Deserialize<SiloReportLine[]>(ReportJson.Options)!, [.. _runs.Values]);
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

    internal sealed record Frame(List<Batch> Running, SiloReportLine[] Silos, RunReportLine[] Runs);

    internal sealed record Batch(int Worker, string Run, int Calls, bool Failed);
}
