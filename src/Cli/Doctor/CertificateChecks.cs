using System.Globalization;

namespace Orleans.Joblib.Cli;

/// <summary>This process's certificate: readable, with its key, vouched for, and for how long still.</summary>
internal static class CertificateChecks
{
    private const string Check = "certificate";
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    internal static IEnumerable<Finding> Look(ClusterAddress address)
    {
        var tls = JoblibTlsOptions.From(key => address.Tls.GetValueOrDefault(key)) ?? JoblibTlsOptions.FromEnvironment();
        if (tls is null)
        {
            return [Finding.Ok(Check, "none is configured: this process reaches silos without TLS only, which listen on loopback")];
        }

        try
        {
            var credentials = TlsCredentials.Load(tls);
            var left = credentials.Certificate.NotAfter.ToUniversalTime() - DateTime.UtcNow;
            var message = string.Create(CultureInfo.InvariantCulture, $"{credentials.Name} has its key, is vouched for by '{tls.CaFile}' and is valid for {left.TotalDays:0.#} days");
            return
            [
                left > Soon ? Finding.Ok(Check, message) : Finding.Warning(Check, message, "Issue a new one and put it in its place: files are read again when they change, nothing needs a restart."),
                .. Readers(tls),
            ];
        }
        catch (JoblibException exception)
        {
            return [Finding.Fault(Check, exception)];
        }
    }

    private static IEnumerable<Finding> Readers(JoblibTlsOptions tls)
    {
        var key = tls.KeyFile ?? tls.CertificateFile;
        if (!OperatingSystem.IsWindows() && key is not null && (File.GetUnixFileMode(key) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            yield return Finding.Warning("key-file", $"'{key}' can be read by every user of this host", $"Whoever has the key may run code in the cluster: chmod 600 '{key}'.");
        }
    }
}
