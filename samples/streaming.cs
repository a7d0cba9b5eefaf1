#:project ../src/Client/Orleans.Joblib.csproj
#:property PublishAot=false

// Two million calls and as many results in a working set that does not grow: calls are taken from the sequence as results are taken from the stream.
// dotnet run samples/streaming.cs

using System.Diagnostics;
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

const int Count = 2_000_000;
const double MiB = 1 << 20;

await FollowAsync(ReturnAs.Generator, "in the order of the calls");
await FollowAsync(ReturnAs.GeneratorUnordered, "in the order of completion");

static async Task FollowAsync(ReturnAs order, string words)
{
    // A query is lazy: a call comes into being when the stream has room for its result. 'maxUnconsumed' sets that room; left out, it is a few batches per job.
    var calls = from n in Enumerable.Range(1, Count) select Delayed(Collatz, n);

    Console.WriteLine($"{Count:N0} Collatz sequences, results {words}");
    var clock = Stopwatch.StartNew();
    var allocated = GC.GetTotalAllocatedBytes();
    var (taken, early, latest, longest) = (0, 0, 0, (Number: 0, Steps: -1));
    await foreach (var result in Parallel(nJobs: -1).StreamAsync(calls, order))
    {
        longest = result.Steps > longest.Steps ? result : longest;
        early += result.Number < latest ? 1 : 0;
        latest = Math.Max(latest, result.Number);
        taken++;
        if (taken % (Count / 4) == 0)
        {
            Console.WriteLine($"  {taken,9:N0} taken after {clock.Elapsed.TotalSeconds,4:0.0} s, working set {Environment.WorkingSet / MiB:0.0} MiB");
        }
    }

    Console.WriteLine($"  {longest.Number:N0} takes longest: {longest.Steps} steps to reach 1");
    Console.WriteLine($"  {early:N0} results came behind a later call's");
    Console.WriteLine($"  {(GC.GetTotalAllocatedBytes() - allocated) / MiB:0} MiB of calls and results came and went");
}

static (int Number, int Steps) Collatz(int number)
{
    var steps = 0;
    for (long n = number; n != 1; steps++)
    {
        n = n % 2 == 0 ? n / 2 : (3 * n) + 1;
    }

    return (number, steps);
}
