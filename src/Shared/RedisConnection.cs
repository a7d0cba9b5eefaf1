using Orleans.Clustering.Redis;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Orleans.Joblib;

/// <summary>The connection to the Redis that holds a cluster's membership. One file, compiled into the client and the silo executable: neither may reference the other.</summary>
internal static class RedisConnection
{
    /// <summary>Orleans keeps the members of cluster C in the hash <c>SERVICE/members/C</c>.</summary>
    internal const string ServiceId = "orleans-joblib";

    private const int AttemptMilliseconds = 2_000;

    internal static RedisKey MembersOf(ClusterAddress address) =>
        RedisClusteringOptions.DefaultCreateRedisKey(new ClusterOptions { ServiceId = ServiceId, ClusterId = address.Cluster });

    /// <summary>Connects, again and again until it succeeds or the time is over.</summary>
    /// <exception cref="JoblibException">Redis was not reached, or refused the password.</exception>
    internal static async Task<ConnectionMultiplexer> OpenAsync(ClusterAddress address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync(Configuration(address)).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RedisConnectionException exception)
            {
                if (exception.FailureType == ConnectionFailureType.AuthenticationFailure || TimeProvider.System.GetElapsedTime(started) + TimeSpan.FromMilliseconds(100) > timeout)
                {
                    throw new JoblibException(
                        "redis-not-reached",
                        $"Redis at '{address}' {(exception.FailureType == ConnectionFailureType.AuthenticationFailure ? "refused the password" : $"was not reached within '{timeout}'")}: {exception.InnerException?.Message ?? exception.FailureType.ToString()}. "
                            + "Check host, port and password of the cluster string, and that Redis runs.",
                        exception);
                }
            }

            await Task.Delay(100, cancellationToken).ConfigureAwait(false);
        }
    }

    internal static ConfigurationOptions Configuration(ClusterAddress address)
    {
        var options = new ConfigurationOptions
        {
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = AttemptMilliseconds,
            User = address.User,
            Password = address.Password,
            Ssl = address.RedisTls,
            DefaultDatabase = address.Database,
            ClientName = "orleans-joblib",
        };
        foreach (var (host, port) in address.Endpoints)
        {
            options.EndPoints.Add(host, port ?? ClusterAddress.DefaultRedisPort);
        }

        return options;
    }
}
