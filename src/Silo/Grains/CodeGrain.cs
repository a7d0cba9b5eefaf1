using Orleans.Concurrency;

namespace Orleans.Joblib.Silo;

/// <summary>The way to one silo's code cache. Hashing and disk work are done beside the grain's thread.</summary>
[SlotPlacement]
[Reentrant]
internal sealed class CodeGrain(CodeContexts contexts, CodeUploads uploads) : Grain, ICodeGrain
{
    public async Task<CodeHash[]?> MissingAsync(CodeManifest manifest, bool all)
    {
        var missing = await Task.Run(() => contexts.Register(manifest)).ConfigureAwait(true);
        if (all || missing.Length == 0)
        {
            // This client's parts take nothing from another's: the sooner of both counts.
            return [.. missing.Select(item => item.Hash)];
        }

        if (uploads.Claim(missing) is { Length: > 0 } mine)
        {
            return mine;
        }

        await uploads.WaitAsync(missing).ConfigureAwait(true);
        return null;
    }

    public Task PutAsync(CodeChunk chunk) => Task.Run(() => uploads.Put(chunk));
}
