using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Orleans.Joblib.Silo;

/// <summary>Gives Redis its membership table back when it has lost it: a Redis without persistence that was started anew.</summary>
/// <remarks>
/// Orleans' provider then fails every read and write until the silos are started anew: no death is noticed and nobody can join. Every silo looks twice a second and keeps a copy; the first to
/// find the table gone writes its own back. A newer table that a silo is not in ends that silo, so a silo whose copy is older than a member that it knows of, or that has none yet, leaves it for a
/// while to others: the one that has just joined has a copy within <see cref="FirstPeriod"/>. The version goes up by more than can have happened since the copy, so that silos take the table for
/// newer than what they know, and a silo that misses itself adds itself.
/// </remarks>
internal sealed class MembershipKeeper(
    ConnectionMultiplexer redis, RedisKey table, IMembershipTable membership, ISiloStatusOracle oracle, ILocalSiloDetails silo, ILogger<MembershipKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(0.5);
    private static readonly RedisValue Version = "Version";
    private static readonly TimeSpan FirstPeriod = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LeftToOthers = TimeSpan.FromSeconds(3);
    private const int MostChangesInAPeriod = 100;

    private HashEntry[] _copy = [];
    private long? _goneSince;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(FirstPeriod);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                try
                {
                    await LookAsync(redis.GetDatabase()).WaitAsync(stoppingToken).ConfigureAwait(false);
                    timer.Period = _copy.Length == 0 ? FirstPeriod : Period;
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    HostLog.TableNotRead(logger, exception);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task LookAsync(IDatabase database)
    {
        var rows = await database.HashGetAllAsync(table).ConfigureAwait(false);
        if (oracle.CurrentStatus != SiloStatus.Active)
        {
            return;
        }

        if (!rows.Any(row => row.Name == Version))
        {
            _goneSince ??= Stopwatch.GetTimestamp();
            if (HasAllMembers() || Stopwatch.GetElapsedTime(_goneSince.Value) > LeftToOthers)
            {
                await RestoreAsync(database).ConfigureAwait(false);
            }

            return;
        }

        _goneSince = null;
        if (rows.Any(row => row.Name == silo.SiloAddress.ToString()))
        {
            _copy = rows;
        }
        else
        {
            await AddMyselfAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Whether the copy has a row for every member that this silo knows of.</summary>
    private bool HasAllMembers() =>
        _copy.Length > 0 && oracle.GetApproximateSiloStatuses(onlyActive: true).Keys.All(member => _copy.Any(row => row.Name == member.ToString()));

    private async Task RestoreAsync(IDatabase database)
    {
        var copy = _copy.Select(row => row.Name == Version ? Raised(row) : row).ToArray();
        var change = database.CreateTransaction();
        change.AddCondition(Condition.HashNotExists(table, Version));
        _ = change.HashSetAsync(table, copy.Length > 0 ? copy : [new HashEntry(Version, 10 * MostChangesInAPeriod)]);
        if (await change.ExecuteAsync().ConfigureAwait(false))
        {
            HostLog.TableRestored(logger, Math.Max(0, copy.Length - 1));
        }
    }

    /// <summary>By Orleans' own provider, which raises the version. Of several silos that do so at once one succeeds, the others at their next look.</summary>
    private async Task AddMyselfAsync()
    {
        var known = await membership.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
        var now = DateTime.UtcNow;
        var entry = new MembershipEntry
        {
            SiloAddress = silo.SiloAddress,
            SiloName = silo.Name,
            HostName = silo.DnsHostName,
            Status = SiloStatus.Active,
            ProxyPort = silo.GatewayAddress?.Endpoint.Port ?? 0,
            StartTime = now,
            IAmAliveTime = now,
            SuspectTimes = [],
        };
        if (await membership.InsertRowAsync(entry, known.Version.Next(), CancellationToken.None).ConfigureAwait(false))
        {
            HostLog.TableRestored(logger, 1);
        }
    }

    private static HashEntry Raised(HashEntry version) =>
        new(Version, int.TryParse(version.Value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number + MostChangesInAPeriod : version.Value);
}
