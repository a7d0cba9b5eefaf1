namespace Orleans.Joblib.Cli;

/// <summary>How a check stands.</summary>
internal enum FindingStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, but not as well as it could, or not for long.</summary>
    Warning,

    /// <summary>Something does not work.</summary>
    Fault,
}
