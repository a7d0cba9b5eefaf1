using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A Python program that starts, gets its backend ready and makes one call.</summary>
internal sealed class ColdPythonPeer(BenchmarkOptions options, string peer) : IContender
{
    public string Backend => peer;

    public KeyValuePair<string, string>? Variant => null;

    public bool IsPeer => true;

    public JsonObject Fields => [];

    public void Prepare()
    {
        using var probe = new PythonPeer(options, "probe", peer, options.NJobsOrCores);
        probe.Prepare();
    }

    public Measurement Measure()
    {
        try
        {
            return FirstResult.Measure(new ProcessStartInfo(options.Python, [PythonPeer.ScriptPath, "first-result", "--peer", peer, "--n-jobs", $"{options.NJobsOrCores}"]));
        }
        catch (Win32Exception exception)
        {
            // The system's own message names this machine's folders; results are committed.
            throw new SkippedException($"{options.Python} could not be started (error {exception.NativeErrorCode})");
        }
    }

    public void Dispose()
    {
    }
}
