using System.CommandLine;
using System.Diagnostics;
using Orleans.Joblib;
using Orleans.Joblib.Samples.GridSearch;
using static Orleans.Joblib.Joblib;

const int FoldCount = 5;
const int Seed = 0;

var backendOption = new Option<string>("--backend") { Description = "Where the calls run.", DefaultValueFactory = _ => "orleans" };
backendOption.AcceptOnlyFromAmong("sequential", "threading", "loky", "multiprocessing", "orleans");
var nJobsOption = new Option<int>("--n-jobs") { Description = "Calls at once; -1 for every core or slot.", DefaultValueFactory = _ => -1 };
var verboseOption = new Option<int>("--verbose") { Description = "Progress lines; 0 for none, 10 for many." };
var silosOption = new Option<int>("--silos") { Description = "Silos of the local cluster, for the backend 'orleans'.", DefaultValueFactory = _ => 1 };
var clusterOption = new Option<string?>("--cluster")
{
    HelpName = "ADDRESS",
    Description = "For the backend 'orleans', silos that run already instead of a local cluster: 'localhost:30000' or 'redis://host:port?cluster=NAME'.",
};
var topOption = new Option<int>("--top") { Description = "Lines of the ranking.", DefaultValueFactory = _ => 10 };
var checkOption = new Option<bool>("--check") { Description = "Print a hash of all accuracies: it is the same on every backend." };

var command = new RootCommand("Cross-validated grid search over two models of handwritten digits, on a backend of your choice.")
{
    backendOption, nJobsOption, verboseOption, silosOption, clusterOption, topOption, checkOption,
};
command.SetAction(async (options, cancellationToken) =>
{
    try
    {
        await SearchAsync(options, cancellationToken);
        return 0;
    }
    catch (Exception exception) when (exception is ArgumentException or JoblibException)
    {
        // A number that the library refuses, '--n-jobs 0' for one, or a cluster out of reach: the message says what to do.
        await Console.Error.WriteLineAsync(exception.Message);
        return 2;
    }
});
return await command.Parse(args).InvokeAsync();

async Task SearchAsync(ParseResult options, CancellationToken cancellationToken)
{
    var backend = options.GetValue(backendOption)!;
    var address = backend == "orleans" ? options.GetValue(clusterOption) : null;
    await using var connection = address is not null ? await JoblibCluster.ConnectAsync(address, cancellationToken: cancellationToken) : null;
    await using var local = backend == "orleans" && address is null
        ? await LocalCluster.StartAsync(silos: options.GetValue(silosOption), cancellationToken: cancellationToken)
        : null;
    if ((connection?.Client ?? local?.Client) is { } client)
    {
        RegisterOrleans(client);
    }

    var data = Digits.Load();
    var folds = Fold.Shuffled(data.Count, FoldCount, Seed);
    var grid = Grid.Models();
    Console.WriteLine($"{data} digits, {grid.Length} parameter sets x {folds.Length} folds = {grid.Length * folds.Length} calls");

    var parallel = Parallel(nJobs: options.GetValue(nJobsOption), backend: backend, verbose: options.GetValue(verboseOption));
    var start = Stopwatch.GetTimestamp();
    var scores = await parallel.RunAsync(from model in grid from fold in folds select Delayed(CrossValidation.Evaluate, data, model, fold), cancellationToken);
    var elapsed = Stopwatch.GetElapsedTime(start);

    // Results come in the order of the calls: one chunk of folds per model.
    Candidate[] candidates = [.. grid.Zip(scores.Chunk(folds.Length), (model, chunk) => new Candidate(model, chunk))];
    Report.PrintTable(Console.Out, candidates, options.GetValue(topOption));
    Console.WriteLine($"wall time {elapsed.TotalSeconds:0.00} s, of which in calls {scores.Sum(score => score.Duration.TotalSeconds):0.00} s; backend {backend}");
    if (options.GetValue(checkOption))
    {
        Console.WriteLine($"check {Report.Check(scores)}");
    }
}
