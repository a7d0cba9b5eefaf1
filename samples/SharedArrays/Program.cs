using System.CommandLine;
using System.Diagnostics;
using Orleans.Joblib;
using Orleans.Joblib.Samples.SharedArrays;
using static Orleans.Joblib.Joblib;

const int ClusterCount = 10;
const int Iterations = 5;
const int RowsPerCall = 1 << 15;

var backendOption = new Option<string>("--backend") { Description = "Where the calls run.", DefaultValueFactory = _ => "loky" };
backendOption.AcceptOnlyFromAmong("sequential", "threading", "loky", "multiprocessing", "orleans");
var nJobsOption = new Option<int>("--n-jobs") { Description = "Calls at once; -1 for every core or slot.", DefaultValueFactory = _ => -1 };
var sizeOption = new Option<string>("--size") { Description = "Bytes of the array, '40M' or '1G' for instance.", DefaultValueFactory = _ => "40M" };

var command = new RootCommand("k-means over a large array of handwritten digits, which exists once however many workers read it; they write their answers into another, in place.")
{
    backendOption, nJobsOption, sizeOption,
};
command.SetAction(async (options, cancellationToken) =>
{
    try
    {
        await ClusterAsync(options, cancellationToken);
        return 0;
    }
    catch (Exception exception) when (exception is ArgumentException or JoblibException)
    {
        // A size or a number that the library refuses: the message says what to do.
        await Console.Error.WriteLineAsync(exception.Message);
        return 2;
    }
});
return await command.Parse(args).InvokeAsync();

async Task ClusterAsync(ParseResult options, CancellationToken cancellationToken)
{
    var backend = options.GetValue(backendOption)!;
    await using var cluster = backend == "orleans" ? await LocalCluster.StartAsync(cancellationToken: cancellationToken) : null;
    if (cluster is not null)
    {
        RegisterOrleans(cluster.Client);
    }

    // An array of this process. Worker processes get it through shared memory: one copy on the host, written once, whatever the number of calls and iterations.
    var images = Digits.Replicated(((MaxNbytes)options.GetValue(sizeOption)!).Bytes!.Value);
    var rows = images.Length / Digits.Pixels;

    // A file that all processes map and write to: each call its own part.
    using var folder = new ScratchFolder();
    using var nearest = MemmappedArray<byte>.Create(folder.PathOf("nearest.npy"), [rows]);
    using var parallel = Parallel(nJobs: options.GetValue(nJobsOption), backend: backend);
    var centers = KMeans.FirstCenters(images, ClusterCount);
    Part[] parts = [];
    var start = Stopwatch.GetTimestamp();
    for (var iteration = 0; iteration < Iterations; iteration++)
    {
        var before = centers;
        parts = await parallel.RunAsync(
            from first in Enumerable.Range(0, (rows + RowsPerCall - 1) / RowsPerCall)
            let count = Math.Min(RowsPerCall, rows - (first * RowsPerCall))
            select Delayed(KMeans.Assign, images, first * RowsPerCall, count, before, nearest),
            cancellationToken);
        centers = KMeans.NewCenters(parts, before);
        Console.WriteLine($"iteration {iteration + 1}: mean squared distance {parts.Sum(part => part.Distance) / rows:0.0000}");
    }

    var elapsed = Stopwatch.GetElapsedTime(start);
    Console.WriteLine($"{rows} images, {images.Length * sizeof(float) / (1 << 20)} MiB, {parts.Length} calls x {Iterations} iterations: {elapsed.TotalSeconds:0.00} s; backend {backend}");
    foreach (var memory in parts.Select(part => part.Memory).Append(ProcessMemory.Now()).GroupBy(memory => memory.ProcessId).Select(seen => seen.MaxBy(memory => memory.PeakBytes)!))
    {
        Console.WriteLine(memory.ToString(memory.ProcessId == Environment.ProcessId ? "this process" : "worker"));
    }

    Console.WriteLine($"check {KMeans.Check(nearest, centers)}");
}
