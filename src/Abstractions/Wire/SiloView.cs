namespace Orleans.Joblib;

/// <summary>One silo as it is at the moment of a look.</summary>
/// <param name="Now">Its clock for <see cref="IMonitorGrain.LookAsync"/>: what the next look passes to get what is new.</param>
/// <param name="Machine">Its host's name.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Time">Its wall clock.</param>
/// <param name="UpFor">How long it has been up.</param>
/// <param name="Slots">Its workers and their runs.</param>
/// <param name="InProcesses">Whether its workers are processes by its own setting.</param>
/// <param name="WorkerProcesses">Worker processes that it has now.</param>
/// <param name="ThreadsPerCall">Threads that one call may use where its run does not say.</param>
/// <param name="Cores">Cores that it may use.</param>
/// <param name="ProcessorTime">Processor time that its process has used.</param>
/// <param name="WorkingSet">Bytes of memory in use by its process.</param>
/// <param name="MemoryLimit">Bytes of memory that it may use.</param>
/// <param name="Running">Batches that execute now.</param>
/// <param name="Ended">Batches that ended since the look before, the newest last; of many, a sample.</param>
/// <param name="EndedCount">Batches that ended since its start.</param>
/// <param name="Runs">Runs that are coordinated on it, open ones, and those that ended since the look before.</param>
/// <param name="Arrays">Large arrays in shared memory of its host, of this user's clients and silos.</param>
/// <param name="ArrayBytes">Their bytes.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.SiloView")]
public sealed record SiloView(
    [property: Id(0)] long Now,
    [property: Id(1)] string Machine,
    [property: Id(2)] int ProcessId,
    [property: Id(3)] DateTimeOffset Time,
    [property: Id(4)] TimeSpan UpFor,
    [property: Id(5)] SiloSlots Slots,
    [property: Id(6)] bool InProcesses,
    [property: Id(7)] int WorkerProcesses,
    [property: Id(8)] int ThreadsPerCall,
    [property: Id(9)] int Cores,
    [property: Id(10)] TimeSpan ProcessorTime,
    [property: Id(11)] long WorkingSet,
    [property: Id(12)] long MemoryLimit,
    [property: Id(13)] BatchTrace[] Running,
    [property: Id(14)] BatchTrace[] Ended,
    [property: Id(15)] long EndedCount,
    [property: Id(16)] RunInfo[] Runs,
    [property: Id(17)] int Arrays = 0,
    [property: Id(18)] long ArrayBytes = 0);
