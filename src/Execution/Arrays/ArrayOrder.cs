namespace Orleans.Joblib;

/// <summary>Which index runs fastest in memory.</summary>
public enum ArrayOrder
{
    /// <summary>The last one: rows one after the other, as in .NET's arrays.</summary>
    C = 0,

    /// <summary>The first one: columns one after the other.</summary>
    Fortran = 1,
}
