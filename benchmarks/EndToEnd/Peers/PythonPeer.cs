using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A side in Python: <c>peers.py --serve</c>, which keeps its workers and makes one run for every line that it reads.</summary>
internal sealed class PythonPeer(BenchmarkOptions options, string workload, string peer, int nJobs, int? calls = null) : IContender
{
    private const string WhileRunning = "ended without an answer; its words are on standard error";

    // A peer that hangs must not take the other sides' results with it.
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(10);

    private Process? _process;

    internal static IReadOnlyList<string> All { get; } = ["joblib-threading", "joblib-loky", "dask"];

    internal static string ScriptPath => Path.Combine(AppContext.BaseDirectory, "peers", "peers.py");

    public string Backend => peer;

    public KeyValuePair<string, string>? Variant { get; init; }

    public bool IsPeer => true;

    public JsonObject Fields { get; private set; } = [];

    public void Prepare()
    {
        var start = new ProcessStartInfo(options.Python) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(ScriptPath);
        start.ArgumentList.Add(workload);
        Add("--peer", peer);
        Add("--n-jobs", nJobs.ToString(CultureInfo.InvariantCulture));
        Add("--batch-size", options.BatchSize.ToString());
        if (calls is { } number)
        {
            Add("--calls", number.ToString(CultureInfo.InvariantCulture));
        }

        start.ArgumentList.Add("--serve");
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            // The system's own message names this machine's folders; results are committed.
            throw new SkippedException($"{options.Python} could not be started (error {exception.NativeErrorCode})");
        }

        Fields = Read();

        void Add(string name, string value)
        {
            start.ArgumentList.Add(name);
            start.ArgumentList.Add(value);
        }
    }

    public Measurement Measure()
    {
        try
        {
            _process!.StandardInput.WriteLine("run");
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            throw new SkippedException($"{peer} {WhileRunning}");
        }

        var answer = Read();
        return new Measurement(answer["value"]!.GetValue<double>())
        {
            Details = answer.Where(field => field.Key != "value").ToDictionary(field => field.Key, field => field.Value!.GetValue<double>()),
        };
    }

    public void Dispose()
    {
        if (_process is not { } process)
        {
            return;
        }

        // The end of its input ends it, workers included.
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private JsonObject Read()
    {
        var reading = _process!.StandardOutput.ReadLineAsync();
        if (!reading.Wait(LongestRun))
        {
            throw new SkippedException($"{peer} gave no answer within {LongestRun.TotalMinutes} min");
        }

        try
        {
            if (reading.Result is { } line && JsonNode.Parse(line) is JsonObject answer)
            {
                return answer["skipped"] is { } reason ? throw new SkippedException(reason.GetValue<string>()) : answer;
            }
        }
        catch (JsonException)
        {
        }

        throw new SkippedException($"{peer} {WhileRunning}");
    }
}
