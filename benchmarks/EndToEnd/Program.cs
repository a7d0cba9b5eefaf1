using System.CommandLine;
using Orleans.Joblib;
using Orleans.Joblib.Benchmarks.EndToEnd;

IWorkload[] workloads =
[
    new NoOpWorkload(), new StreamWorkload(), new LatencyWorkload(), new ScalingWorkload(), new SlotsWorkload(), new ColdWorkload(), new LengthWorkload(),
    new LargeArrayWorkload(), new MappedArrayWorkload(), new ManyArraysWorkload(), new LargeResultsWorkload(), new BlobWorkload(), new KilledWorkerWorkload(),
];

var workload = new Argument<string>("workload") { Description = "What is measured; see benchmarks/README.md." };
workload.AcceptOnlyFromAmong([.. workloads.Select(w => w.Name)]);
var backend = new Option<string>("--backend") { Description = "Where calls run.", DefaultValueFactory = _ => "threading" };
backend.AcceptOnlyFromAmong("threading", "sequential", "loky", "multiprocessing", "orleans", "orleans-remote", "orleans-processes");
var calls = new Option<int?>("--calls") { Description = "Calls of a run. Default: the workload's." };
var nJobs = new Option<int?>("--n-jobs") { Description = "Calls made at once. Default: one per core; 64 for slots." };
var runs = new Option<int>("--runs") { Description = "Measured runs of every side.", DefaultValueFactory = _ => 5 };
var warmUps = new Option<int>("--warm-ups") { Description = "Runs of every side before the measured ones.", DefaultValueFactory = _ => 1 };
var batchSize = new Option<BatchSize>("--batch-size")
{
    Description = "Calls of a batch: a number or auto.",
    DefaultValueFactory = _ => BatchSize.Auto,
    CustomParser = result =>
    {
        var text = result.Tokens[0].Value;
        if (text == "auto")
        {
            return BatchSize.Auto;
        }

        if (int.TryParse(text, out var number) && number is >= 1 and <= BatchSize.MaxCalls)
        {
            return number;
        }

        result.AddError($"--batch-size must be 'auto' or 1 to {BatchSize.MaxCalls}.");
        return BatchSize.Auto;
    },
};
var peers = new Option<bool>("--peers") { Description = "Measure the peers too, in turn with ours." };
var python = new Option<string>("--python") { Description = "The Python that has joblib and distributed.", DefaultValueFactory = _ => "/usr/bin/python3" };

// What cannot be measured is refused, not corrected.
foreach (var option in (Option<int?>[])[calls, nJobs])
{
    option.Validators.Add(result => Require(result, result.GetValueOrDefault<int?>() is not < 1, "1 or more"));
}

runs.Validators.Add(result => Require(result, result.GetValueOrDefault<int>() >= 1, "1 or more"));
warmUps.Validators.Add(result => Require(result, result.GetValueOrDefault<int>() >= 0, "0 or more"));

var root = new RootCommand("Runs one workload and writes one JSON line per side to standard output.")
{
    workload, backend, calls, nJobs, runs, warmUps, batchSize, peers, python,
};
root.SetAction(parsed => workloads.Single(w => w.Name == parsed.GetValue(workload)).Run(
    new BenchmarkOptions
    {
        Backend = parsed.GetValue(backend)!,
        Calls = parsed.GetValue(calls),
        NJobs = parsed.GetValue(nJobs),
        Runs = parsed.GetValue(runs),
        WarmUps = parsed.GetValue(warmUps),
        BatchSize = parsed.GetValue(batchSize),
        Peers = parsed.GetValue(peers),
        Python = parsed.GetValue(python)!,
    },
    new ResultLines(Console.Out)));

// Standard output is for results alone: help goes where notes go.
return root.Parse(args).Invoke(new InvocationConfiguration { Output = Console.Error });

static void Require(System.CommandLine.Parsing.OptionResult result, bool holds, string bound)
{
    if (!holds)
    {
        result.AddError($"{result.Option.Name} must be {bound}.");
    }
}
