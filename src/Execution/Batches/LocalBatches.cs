using System.Collections.Concurrent;

namespace Orleans.Joblib;

/// <summary>Batches of this process that are with silos of this process: they pass by reference, and a message carries only their handle.</summary>
internal static class LocalBatches
{
    private static readonly ConcurrentDictionary<long, CallBatch> Batches = new();
    private static long _lastHandle;

    /// <summary>Tells this process from every other, containers with equal process ids included.</summary>
    internal static Guid Process { get; } = Guid.NewGuid();

    internal static int Count => Batches.Count;

    internal static void Add(CallBatch batch)
    {
        batch.Handle = Interlocked.Increment(ref _lastHandle);
        Batches[batch.Handle] = batch;
    }

    internal static CallBatch? Find(long handle) => Batches.GetValueOrDefault(handle);

    internal static IReadOnlyList<CallBatch> Of(IBatchCarrier carrier) => [.. Batches.Values.Where(batch => ReferenceEquals(batch.Carrier, carrier))];

    internal static void Remove(CallBatch batch) => Batches.TryRemove(batch.Handle, out _);
}
