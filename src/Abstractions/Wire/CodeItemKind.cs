namespace Orleans.Joblib;

/// <summary>What a piece of code is.</summary>
public enum CodeItemKind
{
    /// <summary>A managed assembly, satellites included.</summary>
    Assembly = 0,

    /// <summary>A native library that an assembly of the same code set calls.</summary>
    NativeLibrary = 1,
}
