using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Tests of what a process has once (its console, its registry's default): they run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
