#:project ../src/Client/Orleans.Joblib.csproj
#:property PublishAot=false

// A backend of one's own: batches on the .NET thread pool, written with the public API alone, chosen by name like the built-in ones.
// dotnet run samples/custom-backend.cs

using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

RegisterParallelBackend("thread-pool", () => new ThreadPoolBackend());

const int Width = 50_000;
var calls = from start in Enumerable.Range(0, 40) select Delayed(CountPrimes, start * Width, (start + 1) * Width);

var counts = await Parallel(nJobs: -1, backend: "thread-pool", backendOptions: new ThreadPoolOptions(Console.Out)).RunAsync(calls);
Console.WriteLine($"{counts.Sum():N0} primes below {40 * Width:N0}");

// Library code needs no change to use it.
using (ParallelConfig(backend: "thread-pool", nJobs: 2))
{
    try
    {
        Parallel().Run(from n in Enumerable.Range(0, 10) select Delayed(Inverse, 5 - n));
    }
    catch (DivideByZeroException exception)
    {
        Console.WriteLine($"{exception.Message} It was call {exception.GetCallFailure()!.CallIndex}, {exception.GetCallFailure()!.Call}.");
    }
}

static int Inverse(int n) => 1000 / n;

static int CountPrimes(int start, int end)
{
    var count = 0;
    for (var n = Math.Max(2, start); n < end; n++)
    {
        var isPrime = true;
        for (var divisor = 2; isPrime && divisor * divisor <= n; divisor++)
        {
            isPrime = n % divisor != 0;
        }

        count += isPrime ? 1 : 0;
    }

    return count;
}

/// <summary>Settings that only this backend knows: where it tells what it did, if anywhere.</summary>
internal sealed record ThreadPoolOptions(TextWriter Log) : BackendOptions;

/// <summary>Runs batches on the .NET thread pool. The base class makes short calls travel together.</summary>
internal sealed class ThreadPoolBackend : AutoBatchingBackend
{
    private TaskFactory? _factory;
    private TextWriter _log = TextWriter.Null;
    private int _nJobs;
    private int _batches;
    private int _calls;

    public override string Name => "thread-pool";

    public override bool UsesThreads => true;

    public override bool SupportsSharedMemory => true;

    public override int EffectiveNJobs(int nJobs) => LocalNJobs(nJobs);

    public override async ValueTask<int> ConfigureAsync(BackendSettings settings, CancellationToken cancellationToken)
    {
        _nJobs = await base.ConfigureAsync(settings, cancellationToken);
        _log = (settings.Options as ThreadPoolOptions)?.Log ?? TextWriter.Null;

        // A run hands over more batches than jobs so that none waits for work: how many run at once is the backend's to bound.
        _factory = new TaskFactory(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, _nJobs).ConcurrentScheduler);
        return _nJobs;
    }

    public override void StartRun() => (_batches, _calls) = (0, 0);

    public override void Submit(CallBatch batch) => _factory!.StartNew(() =>
    {
        batch.Execute();
        Interlocked.Increment(ref _batches);
        Interlocked.Add(ref _calls, batch.Count);
        batch.Complete();
    });

    public override void StopRun() => _log.WriteLine($"{Name}: {_calls} calls in {_batches} batches, {_nJobs} at once");
}
