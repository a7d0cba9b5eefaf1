namespace Orleans.Joblib;

/// <summary>What becomes of results: one array, a stream in order, or a stream as they come.</summary>
internal enum ResultOrder
{
    Array,
    Submission,
    Completion,
}
