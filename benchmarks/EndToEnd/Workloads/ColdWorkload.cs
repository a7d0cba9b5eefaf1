namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A program that starts, gets its backend ready and makes one call: seconds from its start to its result, as its parent sees it.</summary>
internal sealed class ColdWorkload : IWorkload
{
    public string Name => "cold";

    public string Unit => "s";

    public void Run(BenchmarkOptions options, ResultLines lines)
    {
        List<IContender> contenders = options.Backend == BackendSession.OrleansRemote
            ? [new ColdRemoteProgram(codeIsThere: false), new ColdRemoteProgram(codeIsThere: true)]
            : [.. ColdProgram.Builds.Select(build => new ColdProgram(options.Backend, build))];
        if (options.Peers)
        {
            contenders.AddRange(PythonPeer.All.Select(peer => new ColdPythonPeer(options, peer)));
        }

        InterleavedRuns.Run(this, options, contenders, lines);
    }
}
