using System.Runtime.InteropServices;

namespace Orleans.Joblib.Silo;

/// <summary>SIGTERM and Ctrl-C, and a drain that the cluster asks for: the first asks for a drain, a second signal for no more patience.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancelled = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    internal StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Take),
    ];

    internal Task First => _first.Task;

    internal Task Second => _second.Task;

    /// <summary>Cancelled by the first: what has not started yet need not.</summary>
    internal CancellationToken Token => _cancelled.Token;

    /// <summary>As the first signal; later ones change nothing.</summary>
    internal void Ask()
    {
        if (_first.TrySetResult())
        {
            _cancelled.Cancel();
        }
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _cancelled.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        context.Cancel = true;
        Ask();

        // After a drain that the cluster asked for, an orchestrator's only signal is the first.
        if (Interlocked.Increment(ref _signals) > 1)
        {
            _second.TrySetResult();
        }
    }
}
