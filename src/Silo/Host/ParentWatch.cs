using System.Diagnostics;

namespace Orleans.Joblib.Silo;

/// <summary>Ends this process at once when another is gone: a test run that was killed leaves no silo behind.</summary>
internal sealed class ParentWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(0.5);

    private readonly Timer _timer;

    internal ParentWatch(int processId) => _timer = new Timer(_ => Look(processId), null, Period, Period);

    public void Dispose() => _timer.Dispose();

    private static void Look(int processId)
    {
        try
        {
            using var parent = Process.GetProcessById(processId);
        }
        catch (ArgumentException)
        {
            Environment.FailFast(null);
        }
    }
}
