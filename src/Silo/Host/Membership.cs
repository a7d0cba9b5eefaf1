using Orleans.Configuration;

namespace Orleans.Joblib.Silo;

/// <summary>How silos watch each other. Measured in docs/deploy.md: a killed silo is declared dead within 3 s.</summary>
internal static class Membership
{
    internal static void Tune(ClusterMembershipOptions options)
    {
        // A probe's time limit, and the pause between probes, follow the answers that came so far, within the two bounds.
        options.ProbeTimeout = TimeSpan.FromSeconds(0.65);
        options.MinProbeTimeout = TimeSpan.FromSeconds(0.4);
        options.MaxProbeTimeout = TimeSpan.FromSeconds(0.65);

        // Three in a row: a silo that stands still for a second (a collection, a machine that is moved) stays. A message on a connection that is still open counts as life for 3 × 0.65 s.
        options.NumMissedProbesLimit = 3;
        options.NumVotesForDeathDeclaration = 2;

        // Gossip tells others of a death at once; the table is what is left where gossip does not pass.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(5);

        // A cluster that was killed as a whole leaves rows that say 'active'. A silo that starts does not wait for those that have not said so for 2 × 3 s.
        options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
        options.NumMissedTableIAmAliveLimit = 2;
        options.MaxJoinAttemptTime = TimeSpan.FromMinutes(1);

        // Rows of the dead go after an hour.
        options.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);
        options.DefunctSiloExpiration = TimeSpan.FromHours(1);
        options.DefunctSiloMinimumRetention = TimeSpan.FromHours(1);
    }
}
