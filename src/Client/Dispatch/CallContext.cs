namespace Orleans.Joblib;

/// <summary>The execution contexts of a run: the caller's, in which its sequence is read, and the workers', which also hold the configuration of loops inside calls.</summary>
internal static class CallContext
{
    internal static ExecutionContext OfCaller()
    {
        // A caller that suppressed the flow still must not lose the nested configuration: loops inside its calls would start threads without end.
        if (!ExecutionContext.IsFlowSuppressed())
        {
            return ExecutionContext.Capture()!;
        }

        ExecutionContext.RestoreFlow();
        try
        {
            return ExecutionContext.Capture()!;
        }
        finally
        {
            ExecutionContext.SuppressFlow();
        }
    }

    internal static ExecutionContext OfWorkers(ParallelBackend backend)
    {
        using var scope = new ConfigScope(ConfigFrame.Of(backend.GetNestedBackend()));
        return OfCaller();
    }
}
