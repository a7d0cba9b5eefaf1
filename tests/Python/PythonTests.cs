using System.Diagnostics;
using System.Reflection;
using System.Text;
using Xunit;

namespace Orleans.Joblib.Tests.Python;

/// <summary>What is Python's: the tests of joblib-orleans by python/tests/run, which fetches what it needs from Debian.</summary>
public abstract class PythonTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan LongestInstallation = TimeSpan.FromMinutes(11);

    protected static async Task PassAsync(string joblib, params string[] files)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/python3"), "There is no Python of Debian here.");
        await PrepareAsync();
        var said = await TestAsync(joblib, Longest, files);
        TestContext.Current.TestOutputHelper!.WriteLine(said);
        Assert.Matches("[1-9][0-9]* passed", said);
    }

    /// <summary>Installs the modules that Python's side needs, where they are missing.</summary>
    protected static Task PrepareAsync() => TestAsync("", LongestInstallation);

    protected static string Python => Path.GetFullPath(Path.Combine(Value("Infra"), "..", "python"));

    /// <returns>All that the program wrote.</returns>
    protected static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, TimeSpan? longest = null)
    {
        const int Unavailable = 77;
        var cancellation = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = new Process { StartInfo = start };
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        try
        {
            process.StandardInput.Close();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            await process.WaitForExitAsync(cancellation).WaitAsync(longest ?? Longest, cancellation);
            Assert.SkipWhen(process.ExitCode == Unavailable, Said());
            Assert.True(process.ExitCode == 0, Said());
            return Said();
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"'{program}' did not end in {longest ?? Longest}. It said:\n{Said()}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        void Note(string? line)
        {
            lock (said)
            {
                said.AppendLine(line);
            }
        }

        string Said()
        {
            lock (said)
            {
                return said.ToString();
            }
        }
    }

    private static Task<string> TestAsync(string joblibs, TimeSpan longest, params string[] files) =>
        RunAsync(Path.Combine(Python, "tests", "run"), files, new Dictionary<string, string?> { ["JOBLIB_TESTS_WITH"] = joblibs, ["JOBLIB_SILO"] = Value("SiloProgram") }, longest);

    private static string Value(string name) => typeof(PythonTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == name).Value!;
}
