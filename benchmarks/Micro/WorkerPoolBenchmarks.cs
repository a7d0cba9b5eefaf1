using BenchmarkDotNet.Attributes;

namespace Orleans.Joblib.Benchmarks.Micro;

/// <summary>The hop to a worker's thread, alone and in a stream.</summary>
[MemoryDiagnoser]
public class WorkerPoolBenchmarks : IDisposable
{
    private const int Items = 10_000;

    private Hop _hop = null!;
    private Countdown _countdown = null!;
    private WorkerPool _pool = null!;

    [GlobalSetup]
    public void Setup()
    {
        _hop = new Hop();
        _countdown = new Countdown();
        _pool = new WorkerPool(Environment.ProcessorCount, "benchmark");
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _pool.Dispose();
        _hop.Dispose();
        _countdown.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>There and back: submit, run on a worker, and the submitter woken.</summary>
    [Benchmark]
    public void SubmitAndWait()
    {
        _hop.Ran.Reset();
        _pool.TrySubmit(_hop);
        _hop.Ran.Wait();
    }

    /// <summary>There, with the queue never empty: what an item costs when nobody waits for it.</summary>
    [Benchmark(OperationsPerInvoke = Items)]
    public void SubmitMany()
    {
        _countdown.Start(Items);
        for (var i = 0; i < Items; i++)
        {
            _pool.TrySubmit(_countdown);
        }

        _countdown.Ran.Wait();
    }

    /// <summary>The runtime's own hop, for comparison.</summary>
    [Benchmark(Baseline = true)]
    public void ThreadPoolAndWait()
    {
        _hop.Ran.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(static hop => hop.Ran.Set(), _hop, preferLocal: false);
        _hop.Ran.Wait();
    }

    private sealed class Hop : IWorkItem, IDisposable
    {
        internal ManualResetEventSlim Ran { get; } = new();

        public object Owner => this;

        public void Run(IWorkSharer sharer) => Ran.Set();

        public void Dispose() => Ran.Dispose();
    }

    private sealed class Countdown : IWorkItem, IDisposable
    {
        private int _left;

        internal ManualResetEventSlim Ran { get; } = new();

        public object Owner => this;

        internal void Start(int items)
        {
            _left = items;
            Ran.Reset();
        }

        public void Run(IWorkSharer sharer)
        {
            if (Interlocked.Decrement(ref _left) == 0)
            {
                Ran.Set();
            }
        }

        public void Dispose() => Ran.Dispose();
    }
}
