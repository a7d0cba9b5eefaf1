using System.Diagnostics;
using Orleans.Joblib.Tests.Infra;

namespace Orleans.Joblib.Tests;

/// <summary>Packages of Debian that tests need and a fresh machine does not have.</summary>
internal static class DebianPackages
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(11);

    /// <summary>Installs a package, where that may be done.</summary>
    /// <returns>What was said, which is the reason if the package is not there now.</returns>
    internal static string TryInstall(string package)
    {
        try
        {
            using var install = Process.Start(new ProcessStartInfo(Path.GetFullPath(Path.Combine(Bicep.Infra, "..", "tests", "debian-packages")), [package]) { RedirectStandardError = true })!;
            var said = install.StandardError.ReadToEndAsync();
            if (!install.WaitForExit(Longest))
            {
                install.Kill(entireProcessTree: true);
                return $"'tests/debian-packages {package}' did not end in {Longest}.";
            }

            return said.GetAwaiter().GetResult().Trim();
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            return exception.Message;
        }
    }
}
