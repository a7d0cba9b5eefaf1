namespace Orleans.Joblib;

/// <summary>A constraint that a backend must meet. joblib 1.6: <c>require</c>.</summary>
public enum Require
{
    /// <summary>Calls share this process's memory. joblib: <c>"sharedmem"</c>.</summary>
    SharedMemory = 0,
}
