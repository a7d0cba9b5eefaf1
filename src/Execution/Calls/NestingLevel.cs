namespace Orleans.Joblib;

/// <summary>How many loops stand around the code that runs here, where the loops' own configuration did not come along: in another process than theirs.</summary>
internal static class NestingLevel
{
    private static readonly AsyncLocal<int> Ambient = new();

    internal static int Current => Ambient.Value;

    /// <summary>A context in which <see cref="Current"/> is a level.</summary>
    internal static ExecutionContext Capture(int level)
    {
        var before = Ambient.Value;
        Ambient.Value = level;
        try
        {
            return ExecutionContext.Capture()!;
        }
        finally
        {
            Ambient.Value = before;
        }
    }
}
