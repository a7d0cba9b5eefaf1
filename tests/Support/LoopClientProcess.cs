using System.Globalization;

namespace Orleans.Joblib.Tests;

/// <summary>A client in a process of its own, which runs loops on a cluster until it is killed. It never outlives the test process.</summary>
internal sealed class LoopClientProcess : IDisposable
{
    private readonly ChildProcess _process;

    private LoopClientProcess(ChildProcess process) => _process = process;

    internal int Id => _process.Id;

    internal bool HasExited => _process.HasExited;

    internal string Output => _process.Output;

    /// <summary>Starts one and waits until it has the first result.</summary>
    /// <param name="cluster">The cluster string.</param>
    /// <param name="lease">How long the cluster keeps its runs once it is silent.</param>
    /// <param name="floods">Whether its loop is one of 50,000 batches of one, all dispatched at once; else loops of 200 calls, one after the other.</param>
    /// <param name="hasArrays">Whether it is one endless loop over a large array instead.</param>
    /// <param name="environment">Variables of its own.</param>
    internal static async Task<LoopClientProcess> StartAsync(string cluster, TimeSpan lease, bool floods = false, bool hasArrays = false, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var client = new LoopClientProcess(ChildProcess.Start("LoopClientProgram", [cluster, lease.TotalSeconds.ToString(CultureInfo.InvariantCulture), hasArrays ? "arrays" : floods ? "flood" : "loops"], environment));
        try
        {
            await client._process.LineAsync("loop-client ready");
            return client;
        }
        catch (Exception)
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Starts one that sends an array of 256 MiB, and waits until it begins to.</summary>
    internal static async Task<LoopClientProcess> StartUploadAsync(string cluster, TimeSpan lease, IReadOnlyDictionary<string, string?> environment)
    {
        var client = new LoopClientProcess(ChildProcess.Start("LoopClientProgram", [cluster, lease.TotalSeconds.ToString(CultureInfo.InvariantCulture), "upload"], environment));
        try
        {
            await client._process.LineAsync("loop-client uploads");
            return client;
        }
        catch (Exception)
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>As <c>kill -9</c>.</summary>
    internal Task KillAsync() => _process.KillAsync();

    public void Dispose() => _process.Dispose();
}
