namespace Orleans.Joblib;

/// <summary>What a silo says to an array that is offered to it, or to a part of one.</summary>
[GenerateSerializer]
[Alias("Orleans.Joblib.ArrayAnswer")]
public enum ArrayAnswer
{
    /// <summary>The silo's host has it, and keeps it for the run.</summary>
    Here = 0,

    /// <summary>The host does not have it: send it.</summary>
    Wanted = 1,

    /// <summary>It is on its way, by another client or silo of that host, or from blob storage: ask again.</summary>
    OnItsWay = 2,

    /// <summary>Its blob is not there.</summary>
    BlobGone = 3,

    /// <summary>The silo does not know the run, or no longer: nothing was done.</summary>
    RunEnded = 4,
}
