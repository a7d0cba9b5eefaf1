namespace Orleans.Joblib;

/// <summary>One silo's code cache. Its key is the silo's address, which also places it.</summary>
[Alias("Orleans.Joblib.ICodeGrain")]
public interface ICodeGrain : IGrainWithStringKey
{
    /// <summary>Makes a code set known to the silo.</summary>
    /// <returns>What this caller should send, then ask again; empty when the silo has everything. A piece that another client is sending is waited for, not asked for.</returns>
    /// <exception cref="JoblibException">The silo cannot run it: a newer framework, another platform, a cache that is too small or cannot be written.</exception>
    [Alias("Missing")]
    Task<CodeHash[]> MissingAsync(CodeManifest manifest);

    /// <summary>Takes in a part of a piece; parts may come in any order and twice. With the last one the piece is verified.</summary>
    /// <exception cref="JoblibException">The disk is full, or the piece is not what its hash says.</exception>
    [Alias("Put")]
    Task PutAsync(CodeChunk chunk);
}
