namespace Orleans.Joblib;

/// <summary>Work that waits in a queue for several.</summary>
internal interface IOwned
{
    /// <summary>Whom the work is for: owners are served in turn.</summary>
    object Owner { get; }

    /// <summary>Work of this owner that may be in hand at once. Asked when it comes to the queue; who changes it later tells the queue.</summary>
    int MostAtOnce => int.MaxValue;
}
