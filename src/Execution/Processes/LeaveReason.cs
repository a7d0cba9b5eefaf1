namespace Orleans.Joblib;

/// <summary>Why a worker process takes no more batches after the one whose outcome says so.</summary>
internal enum LeaveReason : byte
{
    /// <summary>It goes on.</summary>
    None = 0,

    /// <summary>It has grown past its limit.</summary>
    Memory = 1,

    /// <summary>A call that overran its timeout still runs there.</summary>
    Overdue = 2,
}
