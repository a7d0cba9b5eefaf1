using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>The backend's contract with the joblibs of newer suites of Debian, on real silos with real Python workers.</summary>
public sealed class PythonNewerTests : PythonTests
{
    [Theory]
    [InlineData("trixie")]
    [InlineData("sid")]
    public Task JoblibOrleans_KeepsTheContract(string suite) => PassAsync(suite, "tests/test_contract.py");
}
