using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Xunit;

namespace Orleans.Joblib.Tests.Remote;

/// <summary>C# scripts, whose assemblies exist only in memory, on silos in other processes.</summary>
public sealed class ScriptTests(ScriptTests.Cluster cluster) : IClassFixture<ScriptTests.Cluster>
{
    private const string BackendName = "tests-scripts";

    private static readonly ScriptOptions Options = ScriptOptions.Default
        .WithReferences(typeof(object).Assembly, typeof(Enumerable).Assembly, typeof(JoblibParallel).Assembly, typeof(Delayed<>).Assembly, typeof(IClusterClient).Assembly)
        .WithImports("System", "System.Linq", "System.Collections.Generic", "Orleans.Joblib", "Orleans.Joblib.Joblib");

    [Fact]
    public async Task Run_FunctionsAndTypesOfASubmission_RunThere()
    {
        var state = await CSharpScript.RunAsync<List<(string, int)>>(
            $$"""
            record Point(int X, int Y) { public int Sum => X + Y; }
            static string Name(Point point) => $"({point.X}, {point.Y})";
            Parallel(nJobs: 2, backend: "{{BackendName}}").Run(Enumerable.Range(0, 20).Select(i => Delayed(p => (Name(p) + p.Sum, Environment.ProcessId), new Point(i, 2 * i)))).ToList()
            """,
            Options,
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"({i}, {2 * i}){3 * i}"), state.ReturnValue.Select(result => result.Item1));
        Assert.Subset(cluster.Silos.Silos.Select(silo => silo.Id).ToHashSet(), state.ReturnValue.Select(result => result.Item2).ToHashSet());
    }

    [Fact]
    public async Task Run_LaterSubmissionUsesAnEarlierOnesVariables_TheyTravel()
    {
        var first = await CSharpScript.RunAsync("int factor = 3; int Triple(int x) => x * factor;", Options, cancellationToken: TestContext.Current.CancellationToken);
        var second = await first.ContinueWithAsync<int[]>(
            $$"""Parallel(nJobs: 2, backend: "{{BackendName}}").Run(Enumerable.Range(0, 10).Select(i => Delayed(() => Triple(i) + 1)))""", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (3 * i) + 1), second.ReturnValue);

        // The same shell, a line later.
        var third = await second.ContinueWithAsync<int[]>(
            $$"""factor = 5; Parallel(nJobs: 2, backend: "{{BackendName}}").Run(Enumerable.Range(0, 10).Select(i => Delayed(() => Triple(i))))""", cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => 5 * i), third.ReturnValue);
    }

    public sealed class Cluster() : RemoteClusterFixture(BackendName, silos: 1, slotsPerSilo: 2);
}
