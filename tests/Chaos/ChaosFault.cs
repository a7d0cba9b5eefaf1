namespace Orleans.Joblib.Tests.Chaos;

/// <summary>What happens to a cluster in the middle of a loop.</summary>
internal enum ChaosFault
{
    SiloKilled,
    SiloPaused,
    SiloTerminated,
    SiloJoined,
    RedisRestartedEmpty,
    ClientKilled,
}
