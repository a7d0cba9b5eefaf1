using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>All tests of joblib-orleans with the joblib that is installed, on real silos with real Python workers.</summary>
public sealed class PythonInstalledTests : PythonTests
{
    [Fact]
    public Task JoblibOrleans_PassesItsTests() => PassAsync("installed");
}
