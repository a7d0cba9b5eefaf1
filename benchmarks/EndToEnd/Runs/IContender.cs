using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>One side of a comparison: ours or a peer.</summary>
internal interface IContender : IDisposable
{
    /// <summary>Who: a backend's or a peer's name.</summary>
    string Backend { get; }

    /// <summary>Which of its ways, as a field of the line; null where it has only one.</summary>
    KeyValuePair<string, string>? Variant { get; }

    bool IsPeer { get; }

    /// <summary>Fields that describe the side; read after <see cref="Prepare"/>.</summary>
    JsonObject Fields { get; }

    /// <summary>Gets ready, unmeasured.</summary>
    /// <exception cref="SkippedException">This side cannot be measured here.</exception>
    void Prepare();

    /// <summary>One run, on the main thread, as a user's program would.</summary>
    Measurement Measure();
}
