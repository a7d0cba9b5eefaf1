namespace Orleans.Joblib;

/// <summary>A client's request to its coordinator to open a run.</summary>
/// <param name="RequestedSlots">Slots that the run can use, from 1; <see cref="AllSlots"/> for every worker of the cluster.</param>
/// <param name="Lease">The run ends when its client has not renewed it for this long.</param>
/// <param name="Client">Names the client in logs: machine/process.</param>
/// <param name="Observer">Where silos of other processes bring outcomes; null when the client takes none.</param>
/// <param name="InnerMaxNumThreads">Threads that one call may use; null for the cores of its silo divided by the silo's workers.</param>
/// <param name="InProcesses">Whether its calls are to be made in worker processes of the silos, whatever the silos' own setting.</param>
/// <param name="Name">What the client runs, for people: its program.</param>
/// <param name="TraceParent">The run's span, as W3C writes it; null when it is not traced.</param>
/// <param name="Runtime">What executes its calls; null for .NET.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.RunRequest")]
public sealed record RunRequest(
    [property: Id(0)] int RequestedSlots,
    [property: Id(1)] TimeSpan Lease,
    [property: Id(2)] string Client,
    [property: Id(3)] IRunObserver? Observer = null,
    [property: Id(4)] int? InnerMaxNumThreads = null,
    [property: Id(5)] bool InProcesses = false,
    [property: Id(6)] string Name = "",
    [property: Id(7)] string? TraceParent = null,
    [property: Id(8)] RunRuntime? Runtime = null)
{
    /// <summary>Asks for every worker of the cluster.</summary>
    public const int AllSlots = -1;
}
