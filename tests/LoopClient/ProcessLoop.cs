using System.Diagnostics;
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

/// <summary>Loops on worker processes, for tests that end this program in one way or another.</summary>
internal static class ProcessLoop
{
    internal static int Run(string backend, string mode)
    {
        switch (mode)
        {
            case "stuck":
                // Each call says its process and that of a child of its own, and never ends.
                Parallel(nJobs: 2, backend: backend, batchSize: 1).Run(Enumerable.Range(0, 2).Select(i => Delayed(StayForEver)));
                return 0;
            case "interrupt":
                return Interruptible(backend);
            case "end":
                Parallel(nJobs: 2, backend: backend).Run(Enumerable.Range(0, 2).Select(i => Delayed(() => Console.WriteLine($"call {Environment.ProcessId} 0"))));
                return 0;
            case "output":
                Parallel(nJobs: 2, backend: backend, batchSize: 1).Run(Enumerable.Range(0, 20).Select(i => Delayed(WriteLines, i)));
                return 0;
            case "arrays":
                // Every call has the same large arrays, and never ends.
                var large = new double[1_000_000];
                var huge = new double[6_000_000];
                Parallel(nJobs: 2, backend: backend, batchSize: 1).Run(Enumerable.Range(0, 2).Select(i => Delayed(StayWith, large, huge)));
                return 0;
            case "arrays-end":
                var array = new double[6_000_000];
                Parallel(nJobs: 2, backend: backend).Run(Enumerable.Range(0, 2).Select(i => Delayed(() =>
                {
                    Console.WriteLine($"call {Environment.ProcessId} 0");
                    return array.Select(x => x + 1).ToArray();
                })));
                return 0;
            case "arrays-asked":
                return AskedFor(backend);
            default:
                return 2;
        }
    }

    // A loop over other arrays for each line of standard input, and results as large.
    private static int AskedFor(string backend)
    {
        using var parallel = Parallel(nJobs: 2, backend: backend, batchSize: 1);
        for (var run = 1; Console.ReadLine() is { Length: > 0 }; run++)
        {
            var array = new double[4_000_000];
            array.AsSpan().Fill(run);
            var results = parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(static (double[] array, int i) => array.Select(x => x + i).ToArray(), array, i)));
            Console.WriteLine($"sum {run} {results.Sum(result => result.Sum() / 4_000_000)}");
        }

        return 0;
    }

    private static int Interruptible(string backend)
    {
        using var cancelling = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            cancelling.Cancel();
        };
        try
        {
            Parallel(nJobs: 2, backend: backend, batchSize: 1).Run(Enumerable.Range(0, 2).Select(i => Delayed(StayForEver)), cancelling.Token);
            return 1;
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("cancelled");
        }

        var sum = Parallel(nJobs: 2, backend: backend).Run(Enumerable.Range(0, 10).Select(i => Delayed(() => i))).Sum();
        Console.WriteLine($"again {sum}");
        return 0;
    }

    private static int StayForEver()
    {
        using var child = Process.Start("sleep", "600");
        Console.WriteLine($"call {Environment.ProcessId} {child.Id}");
        while (true)
        {
            // Deaf to its token, as native code is.
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private static double StayWith(double[] large, double[] huge)
    {
        var sum = large.Sum() + huge.Sum();
        StayForEver();
        return sum;
    }

    private static void WriteLines(int i)
    {
        for (var line = 0; line < 50; line++)
        {
            Console.Write($"out {i}");
            Console.Write($" {line} ");
            Console.WriteLine(new string('x', 200));
            Console.Error.WriteLine($"err {i} {line} {new string('y', 200)}");
        }

        using var child = Process.Start("echo", $"child {i}");
        child.WaitForExit();
    }
}
