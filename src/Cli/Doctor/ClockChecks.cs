using System.Globalization;

namespace Orleans.Joblib.Cli;

/// <summary>Clocks of silos against this host's.</summary>
internal static class ClockChecks
{
    private const string Remedy = "Set the clocks by NTP or chrony on every host, virtual machines too ('timedatectl' tells whether one is). Silos that join count others as dead by their clocks, and certificates and storage identities are refused by theirs.";

    private static readonly TimeSpan Small = TimeSpan.FromSeconds(1);

    // A silo that starts takes members for dead whose last sign of life is 6 s old.
    private static readonly TimeSpan Large = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    internal static async Task<Finding?> LookAsync(IClusterClient client, SiloReport silo, CancellationToken cancellationToken)
    {
        if (silo.View is null)
        {
            return null;
        }

        var name = SiloReportLine.Name(silo);
        try
        {
            // The second answer of two is quick: what was cold at the first is warm.
            var grain = client.GetGrain<IMonitorGrain>(SlotKey.ForMonitor(silo.Address));
            await grain.LookAsync(long.MaxValue).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            var asked = DateTimeOffset.UtcNow;
            var view = await grain.LookAsync(long.MaxValue).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return Judge(name, asked, view.Time, DateTimeOffset.UtcNow);
        }
        catch (Exception exception) when (exception is Orleans.Runtime.OrleansException or TimeoutException)
        {
            return Finding.Warning("clock", $"the clock of '{name}' was not told: {exception.Message}", "Try again when it is less busy.");
        }
    }

    /// <summary>The silo said its time between the two moments: what is beyond them is its clock's.</summary>
    internal static Finding Judge(string silo, DateTimeOffset asked, DateTimeOffset said, DateTimeOffset answered)
    {
        var off = said > answered ? said - answered : said < asked ? said - asked : TimeSpan.Zero;
        var message = off == TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $"'{silo}' agrees with this host's clock (within {(answered - asked).TotalMilliseconds:0.0} ms)")
            : string.Create(CultureInfo.InvariantCulture, $"'{silo}' is {off.Duration().TotalSeconds:0.000} s {(off > TimeSpan.Zero ? "ahead of" : "behind")} this host's clock");
        return off.Duration() < Small ? Finding.Ok("clock", message) : off.Duration() < Large ? Finding.Warning("clock", message, Remedy) : Finding.Fault("clock", message, Remedy);
    }
}
