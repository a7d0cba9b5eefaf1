using System.Diagnostics;
using System.Reflection;
using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>What is Python's: the tests of joblib-orleans by python/tests/run, which fetches what it needs from Debian.</summary>
public abstract class PythonTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(6);

    protected static async Task PassAsync(string joblib, params string[] files)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        var said = await RunAsync(Path.Combine(Python, "tests", "run"), files, new Dictionary<string, string?> { ["JOBLIB_TESTS_WITH"] = joblib, ["JOBLIB_SILO"] = Value("SiloProgram") });
        TestContext.Current.TestOutputHelper!.WriteLine(said);
        Assert.Matches("[1-9][0-9]* passed", said);
    }

    protected static string Python => Path.GetFullPath(Path.Combine(Value("Infra"), "..", "python"));

    /// <returns>All that the program wrote.</returns>
    protected static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation).WaitAsync(Longest, cancellation);
            var said = await output + await errors;
            Assert.True(process.ExitCode == 0, said);
            return said;
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
