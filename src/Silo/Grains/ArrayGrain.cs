using Orleans.Concurrency;

namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's large arrays. Hashing, disk and network are waited for beside the grain's thread.</summary>
[SlotPlacement]
[Reentrant]
internal sealed class ArrayGrain(SiloArrays arrays, SiloWorkers workers) : Grain, IArrayGrain
{
    public Task<ArrayHost> OpenAsync(Guid host, string[] tokens, string files) => Task.Run(() => arrays.Open(host, tokens, files));

    public Task<ArrayAnswer> OfferAsync(Guid run, ArraySession session, ArrayOffer offer) =>
        workers.ArraysOf(run, session) is { } loop ? Task.Run(() => arrays.OfferAsync(loop, offer)) : Task.FromResult(ArrayAnswer.RunEnded);

    public Task<bool> PutAsync(ArrayChunk chunk) => Task.Run(() => arrays.Put(chunk));

    public Task EndAsync(Guid run, Guid session)
    {
        workers.EndArrays(run, session);
        return Task.CompletedTask;
    }

    public Task<byte[]> ReadAsync(Guid run, long batch, string path, long offset, int bytes) => Task.Run(() => workers.ReadResult(run, batch, path, offset, bytes));

    public Task TakenAsync(Guid run, long[] batches)
    {
        workers.Taken(run, batches);
        return Task.CompletedTask;
    }
}
