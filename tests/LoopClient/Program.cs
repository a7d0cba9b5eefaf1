using System.Globalization;
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

if (args is ["loky" or "multiprocessing", var mode])
{
    return ProcessLoop.Run(args[0], mode);
}

// A client for tests, to be killed: endless loops on a cluster, or one flood of batches. It ends when its standard input does, so with the process that started it.
if (args is not [var cluster, var lease, "loops" or "flood" or "arrays" or "upload"])
{
    Console.Error.WriteLine("usage: loop-client CLUSTER LEASE-SECONDS loops|flood|arrays|upload");
    return 2;
}

_ = Task.Factory.StartNew(
    () =>
    {
        while (Console.In.ReadLine() is not null)
        {
        }

        Environment.FailFast(null);
    },
    CancellationToken.None,
    TaskCreationOptions.LongRunning,
    TaskScheduler.Default);

// The machine may be busy: a client takes long to start then.
await using var connection = await JoblibCluster.ConnectAsync(cluster, new JoblibClusterOptions { ConnectTimeout = TimeSpan.FromSeconds(30) });
var options = new OrleansBackendOptions { Lease = TimeSpan.FromSeconds(double.Parse(lease, CultureInfo.InvariantCulture)) };
var said = false;
while (true)
{
    try
    {
        if (args[2] == "upload")
        {
            // Long enough on its way to be caught there.
            var large = new long[32 << 20];
            using var uploading = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, options), batchSize: 1);
            Console.WriteLine("loop-client uploads");
            Console.WriteLine($"loop-client ready {uploading.Run([Delayed(() => large.Sum())])[0]}");
            continue;
        }

        if (args[2] == "arrays")
        {
            // Of a loop that ends only with this process: its arrays are in use when it does.
            using var endless = Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, options), batchSize: 1);
            var array = Enumerable.Range(0, 1 << 20).Select(i => (long)i).ToArray();
            foreach (var sum in endless.Stream(Enumerable.Range(0, int.MaxValue).Select(i => Delayed(() => array.Sum() + Step(0)))))
            {
                if (!said)
                {
                    said = true;
                    Console.WriteLine($"loop-client ready {sum}");
                }
            }
        }

        using var parallel = args[2] == "flood"
            ? Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, options), batchSize: 1, preDispatch: "all")
            : Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client, options));
        await foreach (var result in parallel.StreamAsync(Enumerable.Range(0, args[2] == "flood" ? 50_000 : 200).Select(i => Delayed(Step, i)), ReturnAs.GeneratorUnordered))
        {
            if (!said)
            {
                said = true;
                Console.WriteLine("loop-client ready");
            }
        }
    }
    catch (JoblibException exception)
    {
        // The cluster may be in the middle of a fault: the next loop finds it again, or it does not.
        Console.Error.WriteLine(exception.Message);
    }
}

static int Step(int i)
{
    Thread.Sleep(8);
    return i;
}
