using System.Diagnostics;
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

// What a user's first program does, with the time of each stage. Nothing here may cost what a user would not pay: no parser, no formatting before the result is there.
var entered = Stopwatch.GetTimestamp();
var backend = args is [var name, ..] ? name : "orleans";
LocalCluster? cluster = null;
JoblibCluster? connection = null;
if (args is [_, var address, ..])
{
    connection = await JoblibCluster.ConnectAsync(address);
}
else if (backend == "orleans")
{
    cluster = await LocalCluster.StartAsync();
}

var ready = Stopwatch.GetTimestamp();
if ((connection?.Client ?? cluster?.Client) is { } client)
{
    RegisterOrleans(client);
}

var registered = Stopwatch.GetTimestamp();
var results = Parallel(nJobs: -1, backend: backend).Run([Delayed(() => 42)]);
var ended = Stopwatch.GetTimestamp();
Console.WriteLine($"first-result {Nanoseconds(entered)} {Nanoseconds(ready)} {Nanoseconds(registered)} {Nanoseconds(ended)}");

// A user's second loop comes a moment after the first.
Thread.Sleep(50);
var again = Stopwatch.GetTimestamp();
Parallel(nJobs: -1, backend: backend).Run([Delayed(() => 42)]);
var second = Stopwatch.GetTimestamp();
Parallel(nJobs: -1, backend: backend).Run([Delayed(() => 42)]);
Console.WriteLine($"next-results {Nanoseconds(again)} {Nanoseconds(second)} {Nanoseconds(Stopwatch.GetTimestamp())}");
if (cluster is not null)
{
    await cluster.DisposeAsync();
}

if (connection is not null)
{
    await connection.DisposeAsync();
}

return results is [42] ? 0 : 1;

static long Nanoseconds(long timestamp) => (long)(timestamp * (1e9 / Stopwatch.Frequency));
