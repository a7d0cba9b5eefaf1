namespace Orleans.Joblib;

/// <summary>What parallel loops inside calls use.</summary>
/// <param name="Backend">The backend; by name, so that loops in two workers get one each.</param>
/// <param name="NestingLevel">The level of those loops, from 0 outside of any.</param>
/// <param name="NJobs">Their jobs when they do not say; null for the backend's default.</param>
public sealed record NestedBackend(BackendChoice Backend, int NestingLevel, int? NJobs = null)
{
    /// <summary>joblib's rule: threads at the first level, sequential below.</summary>
    internal static NestedBackend At(int level) => new(level <= 1 ? BackendRegistry.Threading : BackendRegistry.Sequential, level);
}
