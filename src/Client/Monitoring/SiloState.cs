namespace Orleans.Joblib;

/// <summary>Whether a silo takes work.</summary>
internal enum SiloState
{
    /// <summary>It does.</summary>
    Open,

    /// <summary>It ends what it has in hand, and goes.</summary>
    Draining,

    /// <summary>It does not answer, or has no workers.</summary>
    Silent,
}
