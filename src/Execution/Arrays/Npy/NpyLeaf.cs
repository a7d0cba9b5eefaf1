namespace Orleans.Joblib;

/// <summary>A number within an element.</summary>
/// <param name="Offset">Bytes from the element's start.</param>
/// <param name="Kind">numpy's letter: b, i, u, f; V for bytes without a meaning. Complex numbers are two of f, dates one of i.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="IsSwapped">Whether its bytes lie the other way round than in this process.</param>
internal readonly record struct NpyLeaf(int Offset, char Kind, int Bytes, bool IsSwapped);
