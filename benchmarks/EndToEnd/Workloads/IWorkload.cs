namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A question to the library: its unit, its sides, how a run of each is measured.</summary>
internal interface IWorkload
{
    string Name { get; }

    string Unit { get; }

    void Run(BenchmarkOptions options, ResultLines lines);
}
