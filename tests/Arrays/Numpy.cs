using System.Diagnostics;

namespace Orleans.Joblib.Tests.Arrays;

/// <summary>A Python with numpy: the system's, or one that is made ready with apt-get or pip.</summary>
internal static class Numpy
{
    private static readonly Lazy<(string? Python, string? Packages, string Reason)> Found = new(Find);

    /// <summary>Why there is none; null when there is one.</summary>
    internal static string? Missing => Found.Value.Python is null ? Found.Value.Reason : null;

    /// <summary>Runs a script and gives what it printed.</summary>
    internal static string Run(string script, params string[] arguments)
    {
        var (python, packages, reason) = Found.Value;
        var (code, output) = Run(python ?? throw new InvalidOperationException(reason), packages, ["-c", script, .. arguments]);
        return code == 0 ? output : throw new InvalidOperationException($"Python ended with {code}:\n{output}");
    }

    private static (string? Python, string? Packages, string Reason) Find()
    {
        var target = Path.Combine(Path.GetTempPath(), $"joblib-tests-numpy-{Environment.UserName}");
        foreach (var python in (string[])["/usr/bin/python3", "python3", "python"])
        {
            foreach (var packages in (string?[])[null, target])
            {
                if (Run(python, packages, ["-c", "import numpy"]).Code == 0)
                {
                    return (python, packages, "");
                }
            }
        }

        // A fresh machine: Debian's package if we may, else a copy in a folder of our own.
        var said = DebianPackages.TryInstall("python3-numpy");
        if (Run("/usr/bin/python3", null, ["-c", "import numpy"]).Code == 0)
        {
            return ("/usr/bin/python3", null, "");
        }

        foreach (var python in (string[])["python3", "python"])
        {
            var (pip, words) = Run(python, null, ["-m", "pip", "install", "--quiet", "--target", target, "numpy"]);
            if (pip == 0)
            {
                return (python, target, "");
            }

            said += words;
        }

        return (null, null, $"There is no Python with numpy, and neither apt-get nor pip brings it: {said.Trim()}");
    }

    private static (int Code, string Output) Run(string program, string? packages, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (packages is not null)
        {
            start.Environment["PYTHONPATH"] = packages;
        }

        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
            {
                process.Kill(entireProcessTree: true);
                return (-1, $"'{program}' did not end.");
            }

            return (process.ExitCode, output.Result + error.Result);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return (-1, exception.Message);
        }
    }
}
