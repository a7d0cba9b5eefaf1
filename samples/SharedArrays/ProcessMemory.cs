using System.Diagnostics;
using System.Globalization;

namespace Orleans.Joblib.Samples.SharedArrays;

/// <summary>What a process occupies.</summary>
/// <param name="ProcessId">Which process.</param>
/// <param name="PeakBytes">Most that was ever resident; what processes share counts in each of them.</param>
/// <param name="OwnShareBytes">Resident now, what is shared divided by the number of those who share it (PSS); 0 where the system does not tell.</param>
internal sealed record ProcessMemory(int ProcessId, long PeakBytes, long OwnShareBytes)
{
    private const double Mebibyte = 1 << 20;

    public static ProcessMemory Now()
    {
        using var process = Process.GetCurrentProcess();
        return new ProcessMemory(Environment.ProcessId, process.PeakWorkingSet64, ShareOfThis());
    }

    public string ToString(string who) => string.Create(
        CultureInfo.InvariantCulture, $"{who} {ProcessId}: {PeakBytes / Mebibyte:0} MiB at its peak, {OwnShareBytes / Mebibyte:0} MiB as its share of what is resident");

    private static long ShareOfThis()
    {
        const string Rollup = "/proc/self/smaps_rollup";
        var line = File.Exists(Rollup) ? File.ReadLines(Rollup).FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
