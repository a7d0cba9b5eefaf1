using System.CommandLine;
using Spectre.Console;

namespace Orleans.Joblib.Cli;

/// <summary>doctor.</summary>
internal static class DoctorCommand
{
    internal static Command Create(SharedOptions shared)
    {
        var command = new Command(
            "doctor",
            $"Checks this host and, where --cluster or {SharedOptions.ClusterVariable} names one, the cluster: shared memory, limits, ports, Redis, gateways, clocks, blob storage, certificates; each finding with its remedy. A fault makes the exit code 1.");
        command.Do(shared, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        HashSet<int> ownPorts = [];
        List<Finding> cluster = [];
        var certificates = CertificateChecks.Look(invocation.Address).ToList();
        if (!invocation.HasCluster)
        {
            cluster.Add(Finding.Ok("cluster", $"none was named (--cluster, {SharedOptions.ClusterVariable}): this host only"));
        }
        else if (certificates.TrueForAll(finding => finding.Status != FindingStatus.Fault))
        {
            cluster.AddRange(await ClusterChecks.LookAsync(invocation, ownPorts, cancellationToken).ConfigureAwait(false));
        }

        Finding[] findings =
        [
            .. HostChecks.Look(),
            .. await PortChecks.LookAsync(ownPorts, cancellationToken).ConfigureAwait(false),
            .. certificates,
            await BlobChecks.LookAsync(cancellationToken).ConfigureAwait(false),
            .. cluster,
        ];
        var faults = findings.Count(finding => finding.Status == FindingStatus.Fault);
        var warnings = findings.Count(finding => finding.Status == FindingStatus.Warning);
        invocation.Answer(new { host = Environment.MachineName, cluster = invocation.HasCluster ? invocation.Address.ToString() : null, faults, warnings, findings }, console =>
        {
            var table = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn();
            foreach (var finding in findings)
            {
                table.AddRow(
                    ReportTables.Cell(ReportTables.Lower(finding.Status), finding.Status switch { FindingStatus.Ok => Color.Green, FindingStatus.Warning => Color.Yellow, _ => Color.Red }),
                    ReportTables.Cell(finding.Check),
                    ReportTables.Cell(finding.Remedy is null ? finding.Message : $"{finding.Message}{Environment.NewLine}→ {finding.Remedy}"));
            }

            console.Write(table);
            console.WriteLine();
            console.WriteLine($"{ReportTables.Count(findings.Length, "check")}: {ReportTables.Count(faults, "fault")}, {ReportTables.Count(warnings, "warning")}");
        });
        return faults == 0 ? ExitCode.Ok : ExitCode.Failed;
    }
}
