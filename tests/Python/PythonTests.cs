using System.Diagnostics;
using System.Reflection;
using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>The tests of joblib-orleans, on real silos with real Python workers: python/tests/run, which fetches what it needs from Debian.</summary>
public sealed class PythonTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(6);

    [Theory]
    [InlineData("installed")]
    [InlineData("trixie", "tests/test_contract.py")]
    [InlineData("sid", "tests/test_contract.py")]
    public async Task JoblibOrleans_PassesItsTests(string joblib, params string[] files)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        var cancellation = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Value("Infra"), "..", "python", "tests", "run"), files)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["JOBLIB_TESTS_WITH"] = joblib, ["JOBLIB_SILO"] = Value("SiloProgram") },
        })!;
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation).WaitAsync(Longest, cancellation);
            var said = await output + await errors;
            TestContext.Current.TestOutputHelper!.WriteLine(said);
            Assert.True(process.ExitCode == 0, said);
            Assert.Matches("[1-9][0-9]* passed", said);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string Value(string name) => typeof(PythonTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == name).Value!;
}
