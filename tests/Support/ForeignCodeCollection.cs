using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Tests that load code that Orleans was taught by a second time: a host that is built meanwhile would find both. They run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ForeignCodeCollection
{
    public const string Name = "Foreign code";
}
