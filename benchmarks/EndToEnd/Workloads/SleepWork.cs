namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>A call that waits.</summary>
internal sealed class SleepWork(TimeSpan time)
{
    internal void Run() => Thread.Sleep(time);
}
