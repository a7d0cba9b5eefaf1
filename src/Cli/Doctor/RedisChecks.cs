using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Orleans.Joblib.Cli;

/// <summary>Redis: whether it is reached, how far away it is, and whom it says is in the cluster.</summary>
internal static class RedisChecks
{
    private const int Pings = 10;
    private static readonly TimeSpan LongPing = TimeSpan.FromMilliseconds(20);

    /// <param name="address">The cluster.</param>
    /// <param name="timeout">How long to try.</param>
    /// <param name="gateways">Takes the gateways of silos that are active.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal static async Task<IReadOnlyList<Finding>> LookAsync(ClusterAddress address, TimeSpan timeout, List<IPEndPoint> gateways, CancellationToken cancellationToken)
    {
        const string Check = "redis";
        try
        {
            await using var redis = await RedisConnection.OpenAsync(address, timeout, cancellationToken).ConfigureAwait(false);
            var database = redis.GetDatabase();
            var times = new List<TimeSpan>();
            for (var ping = 0; ping < Pings; ping++)
            {
                times.Add(await database.PingAsync().WaitAsync(timeout, cancellationToken).ConfigureAwait(false));
            }

            times.Sort();
            var median = times[Pings / 2];
            var said = string.Create(CultureInfo.InvariantCulture, $"'{address}' answers in {median.TotalMilliseconds:0.00} ms (median of {Pings})");
            var rows = await database.HashGetAllAsync(RedisConnection.MembersOf(address)).WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
            gateways.AddRange(rows.Select(GatewayOf).OfType<IPEndPoint>());
            return
            [
                median <= LongPing ? Finding.Ok(Check, said) : Finding.Warning(Check, said, "Silos look into it twice a second and when one joins or dies: put it nearer to them, or find out what keeps it busy."),
                rows.Length > 0
                    ? Finding.Ok("membership", $"'{address.Cluster}' is known, with {ReportTables.Count(gateways.Count, "active silo")}")
                    : Finding.Fault("membership", $"Redis knows no cluster '{address.Cluster}'", $"Check the name and the database, or start a silo: orleans-joblib silo --cluster '{address}'."),
            ];
        }
        catch (JoblibException exception)
        {
            return [Finding.Fault(Check, exception)];
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return [Finding.Fault(Check, $"'{address}' was reached but did not answer: {exception.Message.Split('\n')[0]}", "Check that it is not overloaded, and its password and database.")];
        }
    }

    /// <summary>A row's name is the silo's address, its value JSON.</summary>
    private static IPEndPoint? GatewayOf(HashEntry row)
    {
        try
        {
            // "S10.0.0.5:11111:123456789"
            var name = row.Name.ToString();
            var entry = name.StartsWith('S') ? JsonNode.Parse(row.Value.ToString()) : null;
            return entry?["Status"]?.GetValue<int>() == (int)SiloStatus.Active && entry["ProxyPort"]?.GetValue<int>() is { } port and > 0
                ? new IPEndPoint(IPEndPoint.Parse(name[1..name.LastIndexOf(':')]).Address, port)
                : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
