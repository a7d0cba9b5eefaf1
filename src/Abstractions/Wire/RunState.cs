namespace Orleans.Joblib;

/// <summary>Where a run stands. Numbers are part of the wire format.</summary>
public enum RunState
{
    /// <summary>It is open.</summary>
    Running = 0,

    /// <summary>Its client has ended it, without a failure.</summary>
    Completed = 1,

    /// <summary>A call failed, or the client gave it up.</summary>
    Failed = 2,

    /// <summary>It was cancelled from outside, by <see cref="ICoordinatorGrain.CancelAsync"/>.</summary>
    Cancelled = 3,

    /// <summary>Its client was not heard of for a lease.</summary>
    Lost = 4,
}
