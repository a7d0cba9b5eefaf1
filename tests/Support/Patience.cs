namespace Orleans.Joblib.Tests;

/// <summary>Waits that end: what should happen happens in milliseconds, and a hang becomes a failed test after <see cref="Limit"/>.</summary>
/// <remarks>The environment variable JOBLIB_TESTS_PATIENCE sets another limit, in seconds.</remarks>
internal static class Patience
{
    internal static readonly TimeSpan Limit =
        TimeSpan.FromSeconds(double.TryParse(Environment.GetEnvironmentVariable("JOBLIB_TESTS_PATIENCE"), out var seconds) ? seconds : 30);

    internal static void Await(ManualResetEventSlim signal, string what) => Check(signal.Wait(Limit), what);

    internal static void Await(Task task, string what)
    {
        Check(Task.WaitAny([task], Limit) == 0, what);
        task.GetAwaiter().GetResult();
    }

    internal static T Await<T>(Task<T> task, string what)
    {
        Await((Task)task, what);
        return task.Result;
    }

    internal static void Until(Func<bool> condition, string what) => Check(SpinWait.SpinUntil(condition, Limit), what);

    /// <summary>Waits inside a call until its token tells it to end.</summary>
    internal static void AwaitCancelled(CancellationToken token) => Check(token.WaitHandle.WaitOne(Limit), "a call to be cancelled");

    /// <summary>Does the work on a thread of its own, so that a hang in it fails the test instead of the test run.</summary>
    internal static T Within<T>(Func<T> work)
    {
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        Check(Task.WaitAny([task], Limit) == 0, "the run");
        return task.GetAwaiter().GetResult();
    }

    internal static void Within(Action work) => Within(() =>
    {
        work();
        return true;
    });

    /// <summary>The exception that the work throws, whatever its type.</summary>
    internal static Exception? ThrownBy(Action work)
    {
        try
        {
            Within(work);
            return null;
        }
        catch (Exception exception) when (exception is not HungException)
        {
            return exception;
        }
    }

    private static void Check(bool happened, string what)
    {
        if (!happened)
        {
            throw new HungException(what);
        }
    }
}
