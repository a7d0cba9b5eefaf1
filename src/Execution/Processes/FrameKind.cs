namespace Orleans.Joblib;

/// <summary>What a frame between a program and its worker process says.</summary>
internal enum FrameKind : byte
{
    /// <summary>Worker, first of all: the protocol's mark and version, and that of its library.</summary>
    Hello = 1,

    /// <summary>Program, first of all: what holds for the worker's life.</summary>
    Setup = 2,

    /// <summary>Program: an assembly that the worker does not find by itself.</summary>
    Code = 3,

    /// <summary>Program: a batch to execute. Worker: nothing.</summary>
    Batch = 4,

    /// <summary>Program: the initializer, a batch of one call, before all others.</summary>
    Initialize = 5,

    /// <summary>Program: a batch that waits here is wanted back, unless it has started.</summary>
    Recall = 6,

    /// <summary>Program: calls of a run are to end, and none of it is to start.</summary>
    EndRun = 7,

    /// <summary>Program: end when all batches have.</summary>
    Shutdown = 8,

    /// <summary>Program: what a run says of its large arrays, before its first batch.</summary>
    Run = 13,

    /// <summary>Program: it has the large arrays of a batch's results.</summary>
    Taken = 14,

    /// <summary>Program: let go of arrays that no call refers to any more.</summary>
    Reclaim = 15,

    /// <summary>Worker: what became of a batch.</summary>
    Outcome = 9,

    /// <summary>Worker: whole lines that code wrote to the console.</summary>
    Output = 10,

    /// <summary>Worker: a log record.</summary>
    Log = 11,

    /// <summary>Worker: a span that ended.</summary>
    Span = 12,

    /// <summary>Worker: the calls of a run that ends were told.</summary>
    RunEnded = 16,
}
