using System.Collections.Concurrent;
using Orleans.Concurrency;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

[Reentrant]
public sealed class WorkerEchoGrain : Grain, IWorkerEchoGrain
{
    private static readonly BlockingCollection<(TaskCompletionSource<int> Done, int Value)> Work = StartWorker();

    public Task<int> Echo(int value)
    {
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add((done, value));
        return done.Task;
    }

    private static BlockingCollection<(TaskCompletionSource<int> Done, int Value)> StartWorker()
    {
        var work = new BlockingCollection<(TaskCompletionSource<int> Done, int Value)>();
        new Thread(() =>
        {
            foreach (var (done, value) in work.GetConsumingEnumerable())
            {
                done.SetResult(value);
            }
        })
        { IsBackground = true, Name = "worker-echo" }.Start();
        return work;
    }
}
