using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>A batch in a process pool.</summary>
/// <param name="lease">Whose it is: the pool serves leases in turn.</param>
/// <param name="request">It as it travels.</param>
internal abstract class PoolWork(PoolLease lease, RemoteBatch request) : IOwned
{
    object IOwned.Owner => lease;

    internal PoolLease Lease => lease;

    internal RemoteBatch Request => request;

    /// <summary>When it was handed to the pool.</summary>
    internal long SubmittedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>How many workers died while they executed it.</summary>
    internal int Deaths { get; set; }

    /// <summary>Whether it was asked back from the worker that it waits at.</summary>
    internal bool Recalled { get; set; }

    /// <summary>Whether its run has ended early: nobody wants it to be executed.</summary>
    internal virtual bool IsUnwanted => false;

    /// <summary>Its first call as text, for messages.</summary>
    internal abstract string FirstCallText { get; }

    /// <summary>This host's files of arrays that came from another host, by the names that the payload has; null for none.</summary>
    internal virtual IReadOnlyDictionary<string, string>? MovedArrays => null;

    /// <summary>Whether it names large arrays, which its worker maps until the run ends.</summary>
    internal virtual bool NamesArrays => true;

    /// <summary>Takes the files of large arrays in the outcome that comes next: its worker lets go of them after that. Never throws.</summary>
    internal virtual void TakeArrays(IReadOnlyList<string> paths)
    {
    }

    /// <summary>Takes its outcome. Never throws.</summary>
    internal abstract void Take(OutcomeStatus status, ReadOnlyMemory<byte> payload, TimeSpan queued);

    /// <summary>The pool could not execute it. Never throws.</summary>
    internal abstract void Fail(Exception fault);

    /// <summary>Nobody wants its outcome any more, and it has not got one.</summary>
    internal abstract void Drop();

    /// <summary>A worker died while it executed this. Never throws.</summary>
    /// <returns>Whether that was its outcome: whoever sent it sees to the rest. If not, the pool tries again.</returns>
    internal virtual bool EndWithWorker(int processId, WorkerExit exit) => false;

    /// <summary>Its calls as works of their own, to find the one that kills workers; null when it is one call, or cannot be taken apart.</summary>
    internal abstract IReadOnlyList<PoolWork>? Split();
}
