namespace Orleans.Joblib;

/// <summary>One silo's code cache. Its key is the silo's address, which also places it.</summary>
[Alias("Orleans.Joblib.ICodeGrain")]
public interface ICodeGrain : IGrainWithStringKey
{
    /// <summary>Makes a code set known to the silo.</summary>
    /// <param name="manifest">The code set.</param>
    /// <param name="all">Whether the caller will send what others are sending, too: they are slow, or it was this caller whom the silo asked, and the answer was lost.</param>
    /// <returns>What this caller should send, then ask again; empty when the silo has everything; null when others are still sending the rest: ask again.</returns>
    /// <exception cref="JoblibException">The silo cannot run it: a newer framework, another platform, a cache that is too small or cannot be written.</exception>
    [Alias("Missing")]
    [ResponseTimeout("00:00:05")]
    Task<CodeHash[]?> MissingAsync(CodeManifest manifest, bool all);

    /// <summary>Takes in a part of a piece; parts may come in any order and twice. With the last one the piece is verified.</summary>
    /// <exception cref="JoblibException">The disk is full, or the piece is not what its hash says.</exception>
    [Alias("Put")]
    [ResponseTimeout("00:00:10")]
    Task PutAsync(CodeChunk chunk);
}
