using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A side that is a function in this process.</summary>
internal sealed class Contender(string backend, Func<Measurement> measure) : IContender
{
    public string Backend => backend;

    public KeyValuePair<string, string>? Variant { get; init; }

    public bool IsPeer { get; init; }

    public JsonObject Fields { get; init; } = [];

    /// <summary>What ends with the side: its <c>Parallel</c>.</summary>
    public IDisposable? Owned { get; init; }

    public void Prepare()
    {
    }

    public Measurement Measure() => measure();

    public void Dispose() => Owned?.Dispose();
}
