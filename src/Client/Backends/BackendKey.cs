namespace Orleans.Joblib;

/// <summary>What makes two configured backends interchangeable.</summary>
/// <param name="Choice">The backend.</param>
/// <param name="NestingLevel">The loops around it.</param>
/// <param name="Settings">What the run was asked for.</param>
/// <param name="CapAround">The thread cap of the call around it: negative numbers of jobs, and the caps of its own workers, come from it.</param>
internal sealed record BackendKey(BackendChoice Choice, int NestingLevel, BackendSettings Settings, int? CapAround)
{
    /// <summary>Whether loops with these keys want the same but for the backend object: for people, they are one kind.</summary>
    internal bool IsAlike(BackendKey other) =>
        Choice.Name == other.Choice.Name && NestingLevel == other.NestingLevel && CapAround == other.CapAround && Settings == other.Settings;
}
