namespace Orleans.Joblib;

/// <summary>The code that worker processes do not find by themselves. It only grows. Thread-safe.</summary>
internal interface IWorkerCodeSource
{
    /// <summary>The pieces that a worker has not been sent, given how many it has. Neither waits nor throws: the pool calls it under its lock.</summary>
    /// <param name="sent">How many; brought up to date.</param>
    IReadOnlyList<Frame> FramesFrom(ref int sent);
}
