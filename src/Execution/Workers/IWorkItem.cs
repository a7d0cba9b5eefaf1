namespace Orleans.Joblib;

/// <summary>What a worker takes from the pool's queue.</summary>
internal interface IWorkItem : IOwned
{
    /// <summary>Does the work on the worker's thread; never throws.</summary>
    /// <param name="sharer">The pool, which may take a part of the work for another worker.</param>
    void Run(IWorkSharer sharer);
}
