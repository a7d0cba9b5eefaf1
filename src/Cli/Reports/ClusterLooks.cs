namespace Orleans.Joblib.Cli;

/// <summary>Reports of a cluster, one a look. One look at a time.</summary>
internal sealed class ClusterLooks(JoblibCluster cluster)
{
    private readonly ClusterMonitor _monitor = new(cluster.Client);
    private readonly ClusterReporter _reporter = new(cluster.Address);

    internal async Task<ClusterReport> LookAsync(Func<RunInfo, bool> wanted, CancellationToken cancellationToken) =>
        _reporter.Report(await _monitor.LookAsync(cancellationToken).ConfigureAwait(false), wanted);
}
