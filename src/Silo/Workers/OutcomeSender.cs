using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Orleans.Joblib.Silo;

/// <summary>Brings one silo's outcomes of one run to its client in another process: one message at a time, with all that wait, again until the client has acknowledged it.</summary>
internal sealed class OutcomeSender(IRunObserver observer, ILogger logger)
{
    // A message of this many payload bytes is long enough for its throughput and short enough to let others through.
    private const long MostBytes = 8 << 20;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Queue<(BatchOutcome Outcome, Action<long> Acknowledged)> _waiting = new();
    private bool _sending;
    private volatile bool _stopped;

    internal void Add(BatchOutcome outcome, Action<long> acknowledged)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            _waiting.Enqueue((outcome, acknowledged));
            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        _ = SendAsync();
    }

    /// <summary>The run has ended here: nobody waits for what has not been sent.</summary>
    internal void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            _waiting.Clear();
        }
    }

    private async Task SendAsync()
    {
        var message = new List<(BatchOutcome Outcome, Action<long> Acknowledged)>();
        while (true)
        {
            message.Clear();
            lock (_gate)
            {
                for (var bytes = 0L; bytes < MostBytes && _waiting.TryDequeue(out var next); bytes += next.Outcome.Payload.Length)
                {
                    message.Add(next);
                }

                if (message.Count == 0)
                {
                    _sending = false;
                    return;
                }
            }

            if (!await TrySendAsync([.. message.Select(next => next.Outcome)]).ConfigureAwait(false))
            {
                return;
            }

            foreach (var (outcome, acknowledged) in message)
            {
                acknowledged(outcome.Handle);
            }
        }
    }

    /// <returns>False when the run has ended here.</returns>
    private async Task<bool> TrySendAsync(BatchOutcome[] outcomes)
    {
        while (!_stopped)
        {
            try
            {
                await observer.BatchesEndedAsync(outcomes).ConfigureAwait(false);
                return true;
            }
            catch (Exception exception)
            {
                // A client that lost its gateway comes back through another; one that is gone loses its lease, which stops this.
                SiloLog.OutcomesNotTaken(logger, exception, outcomes.Length);
                await Task.Delay(RetryPause, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return false;
    }
}
