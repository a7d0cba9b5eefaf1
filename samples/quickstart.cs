#:project ../src/Client/Orleans.Joblib.csproj
#:project ../src/Silo/Orleans.Joblib.Silo.csproj
#:property PublishAot=false

// dotnet run samples/quickstart.cs
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

// A cluster inside this process: no service, no set-up.
await using var cluster = await LocalCluster.StartAsync(silos: 1);
RegisterOrleans(cluster.Client);

// joblib's first example. Nothing runs until a worker reaches it; results come in the order of the calls.
var roots = Parallel(nJobs: -1, backend: "orleans").Run(from i in Enumerable.Range(0, 10) select Delayed(Math.Sqrt, (double)(i * i)));
Console.WriteLine(string.Join(" ", roots));

// Any lambda is a call too, and "threading" in place of "orleans" is the only change to stay on this process's threads.
var where = Parallel(nJobs: -1, backend: "orleans").Run(from i in Enumerable.Range(0, 4) select Delayed(() => $"call {i} ran on {Thread.CurrentThread.Name}"));
Console.WriteLine(string.Join("\n", where));
