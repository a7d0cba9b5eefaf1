using Orleans.Concurrency;

namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's code cache. Hashing and disk work are done beside the grain's thread.</summary>
[SlotPlacement]
[Reentrant]
internal sealed class CodeGrain(CodeContexts contexts, CodeUploads uploads) : Grain, ICodeGrain
{
    // Each wait for another client's upload takes 5 s at most: the answer comes before Orleans' response timeout of 30 s.
    private const int MostWaits = 4;

    public async Task<CodeHash[]> MissingAsync(CodeManifest manifest)
    {
        for (var waits = 0; ; waits++)
        {
            var missing = await Task.Run(() => contexts.Register(manifest)).ConfigureAwait(true);
            var mine = missing.Length == 0 ? [] : uploads.Claim(missing);
            if (missing.Length == 0 || mine.Length > 0)
            {
                return mine;
            }

            if (waits == MostWaits)
            {
                // Slow, but moving. This client's own parts take nothing from the other's: the sooner of both counts.
                return [.. missing.Select(item => item.Hash)];
            }

            await uploads.WaitAsync(missing).ConfigureAwait(true);
        }
    }

    public Task PutAsync(CodeChunk chunk) => Task.Run(() => uploads.Put(chunk));
}
