#:project ../src/Client/Orleans.Joblib.csproj
#:property PublishAot=false

// dotnet run samples/processes.cs
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

// Worker processes: what a call does to its process, it does to no other. They are shared by all loops of this program and kept for the next.
var options = new LokyBackendOptions { Initializer = Model.Load, InitArgs = [10] };
using var parallel = Parallel(nJobs: 2, backend: "loky", timeout: TimeSpan.FromSeconds(20), backendOptions: options);

// Static state is a worker's own: the initializer fills it, once per worker.
Console.WriteLine(string.Join(" ", parallel.Run(from i in Enumerable.Range(0, 5) select Delayed(() => Model.Factor * i))));

// A call that ends its process costs its run, which says which call it was; this program and its next run go on.
try
{
    parallel.Run(from i in Enumerable.Range(0, 5) select Delayed(Careless, i));
}
catch (TerminatedWorkerException exception)
{
    Console.WriteLine(exception.Message);
}

Console.WriteLine(parallel.Run([Delayed(() => "still here")])[0]);

static int Careless(int i)
{
    if (i == 3)
    {
        Environment.Exit(7);
    }

    return i;
}

internal static class Model
{
    public static int Factor { get; private set; }

    public static void Load(int factor) => Factor = factor;
}
