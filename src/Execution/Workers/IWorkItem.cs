namespace Orleans.Joblib;

/// <summary>What a worker takes from the pool's queue.</summary>
internal interface IWorkItem : IOwned
{
    /// <summary>The threads that its calls may use; null for what the pool says.</summary>
    ThreadLimit? Limit => null;

    /// <summary>Does the work on the worker's thread; never throws.</summary>
    /// <param name="sharer">The pool, which may take a part of the work for another worker.</param>
    void Run(IWorkSharer sharer);
}
