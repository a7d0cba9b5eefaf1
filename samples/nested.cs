#:project ../src/Client/Orleans.Joblib.csproj
#:project ../src/Silo/Orleans.Joblib.Silo.csproj
#:property PublishAot=false

// Loops inside calls of loops: who decides where the inner one runs, and where that is.
// dotnet run samples/nested.cs              the outer loop on a local cluster
// dotnet run samples/nested.cs threading    on threads

using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

var backend = args.FirstOrDefault() ?? "orleans";
await using var cluster = backend == "orleans" ? await LocalCluster.StartAsync() : null;
if (cluster is not null)
{
    RegisterOrleans(cluster.Client);
}

// A. A. Michelson, 1879: five experiments, the speed of light in air in km/s above 299,000.
double[][] experiments =
[
    [850, 740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000, 1000, 960, 960],
    [960, 940, 960, 940, 880, 800, 850, 880, 900, 840, 830, 790, 810, 880, 880, 830, 800, 790, 760, 800],
    [880, 880, 880, 860, 720, 720, 620, 860, 970, 950, 880, 910, 850, 870, 840, 840, 850, 840, 840, 840],
    [890, 810, 810, 820, 800, 770, 760, 740, 750, 760, 910, 920, 890, 860, 880, 720, 840, 850, 850, 780],
    [890, 840, 780, 810, 760, 810, 790, 810, 820, 850, 870, 870, 810, 740, 810, 940, 950, 800, 810, 870],
];

var outer = Parallel(nJobs: -1, backend: backend);
var intervals = outer.Run(from sample in experiments select Delayed(() => Bootstrap.Interval(sample)));
foreach (var (index, interval) in intervals.Index())
{
    Console.WriteLine($"experiment {index + 1}: {299_000 + interval.Mean:N1} km/s, 95 % within {299_000 + interval.Low:N1} and {299_000 + interval.High:N1}");
}

Console.WriteLine("\nWhere the inner loop ran:");
Print("it says nothing, and has one job", intervals);
Print("it asks for nJobs: 2", outer.Run(from sample in experiments select Delayed(() => Bootstrap.Interval(sample, nJobs: 2))));
Print("the outer call sets ParallelConfig(nJobs: 2) for it", outer.Run(from sample in experiments select Delayed(IntervalOnTwoThreads, sample)));
Print("one level deeper still, it asks for nJobs: 2", outer.Run(from sample in experiments select Delayed(IntervalBelowALoop, sample)));

// The loop of a library that knows nothing of backends goes where its caller says, without an outer loop.
using (ParallelConfig(backend: backend, nJobs: -1))
{
    Print($"no outer loop, ParallelConfig(\"{backend}\", nJobs: -1)", [.. experiments.Select(sample => Bootstrap.Interval(sample))]);
}

static Interval IntervalOnTwoThreads(double[] sample)
{
    using (ParallelConfig(nJobs: 2))
    {
        return Bootstrap.Interval(sample);
    }
}

static Interval IntervalBelowALoop(double[] sample) =>
    Parallel(nJobs: 2).Run([Delayed(() => Bootstrap.Interval(sample, nJobs: 2))]).Single();

static void Print(string title, Interval[] intervals) =>
    Console.WriteLine($"  {title,-54} {string.Join(" or ", intervals.Select(interval => interval.InnerPlace).Distinct().Order())}");

/// <summary>A library: it has a parallel loop and does not know who calls it.</summary>
internal static class Bootstrap
{
    private const int Resamples = 2_000;

    public static Interval Interval(double[] sample, int? nJobs = null)
    {
        // The seed is the call's own, so every backend draws the same resamples.
        var resampled = Parallel(nJobs: nJobs).Run(from seed in Enumerable.Range(0, Resamples) select Delayed(Resample, sample, seed));
        double[] means = [.. resampled.Select(resample => resample.Mean).Order()];
        return new Interval(
            sample.Average(), means[Resamples / 40], means[^(Resamples / 40)], Place(resampled.Select(resample => resample.Worker)));
    }

    private static (double Mean, Worker Worker) Resample(double[] sample, int seed)
    {
        var random = new Random(seed);
        var sum = 0.0;
        for (var i = 0; i < sample.Length; i++)
        {
            sum += sample[random.Next(sample.Length)];
        }

        return (sum / sample.Length, Worker.Current);
    }

    private static string Place(IEnumerable<Worker> workers)
    {
        var others = workers.Where(worker => worker != Worker.Current).ToArray();
        return others.Length == 0 ? $"on the thread that reached it ({Worker.Current.Kind})" : $"on other threads ({others[0].Kind})";
    }
}

/// <summary>The mean of a sample and the bounds of its 95 % interval.</summary>
internal sealed record Interval(double Mean, double Low, double High, string InnerPlace);

/// <summary>A thread: the library names its workers' threads after their backend, with a number.</summary>
internal readonly record struct Worker(int ThreadId, string Kind)
{
    public static Worker Current => new(Environment.CurrentManagedThreadId, (Thread.CurrentThread.Name ?? "main").TrimEnd("-0123456789".ToCharArray()));
}
