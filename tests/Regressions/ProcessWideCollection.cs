using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Tests that take the process's log or console: they run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessWideCollection
{
    public const string Name = "Process-wide";
}
