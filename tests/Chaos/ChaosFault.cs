namespace Orleans.Joblib.Tests.Chaos;

/// <summary>What happens to a cluster in the middle of a loop.</summary>
internal enum ChaosFault
{
    SiloKilled,
    SiloPaused,
    LinkCut,
    SiloTerminated,
    SiloJoined,
    RedisRestartedEmpty,
    ClientKilled,
}
