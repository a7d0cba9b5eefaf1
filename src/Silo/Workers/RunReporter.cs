using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>Carries one silo's batch reports of one run to its coordinator and brings the advice back, off the batches' path: one message at a time, however many reports wait.</summary>
internal sealed class RunReporter(ICoordinatorGrain coordinator, ILogger logger)
{
    // Between two messages: advice a millisecond old costs nothing, a message per batch of one would cost as much as the batch.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private const int MostWaiting = 65_536;

    private readonly Lock _gate = new();
    private readonly List<BatchReport> _waiting = [];
    private bool _sending;
    private bool _stopped;
    private volatile BatchAnswer _answer = new(BatchStatus.Accepted, 0);

    /// <summary>The answer to a batch that was accepted, with the latest advice: one object for as long as the advice stays.</summary>
    internal BatchAnswer Answer => _answer;

    internal void Add(BatchReport report)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            // A coordinator out of reach must not cost memory without end; what is dropped is statistics.
            if (_waiting.Count < MostWaiting)
            {
                _waiting.Add(report);
            }

            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        _ = Task.Run(SendAsync);
    }

    /// <summary>The run has ended here: what has not been sent is of no use to anyone.</summary>
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
        while (true)
        {
            BatchReport[] reports;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _sending = false;
                    return;
                }

                reports = [.. _waiting];
                _waiting.Clear();
            }

            try
            {
                var advised = await coordinator.ReportAsync(reports).ConfigureAwait(false);
                if (advised != _answer.AdvisedBatchSize)
                {
                    _answer = new BatchAnswer(BatchStatus.Accepted, advised);
                }
            }
            catch (Exception exception)
            {
                SiloLog.ReportLost(logger, exception, reports.Length);
            }

            await Task.Delay(Pause).ConfigureAwait(false);
        }
    }
}
