using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>The owner of a batch that came from another process: watches overdue calls, encodes the outcome.</summary>
internal sealed class ExecutableBatch<T> : IBatchOwner
{
    private readonly CallBatch<T> _batch;
    private readonly PayloadEncoder _encoder;
    private readonly RunScope _scope;
    private readonly IRemoteBatchHost _host;
    private ITimer? _watch;
    private int _ended;

    internal ExecutableBatch(RemoteBatch request, DecodedCalls<T> calls, RunScope scope, IRemoteBatchHost host)
    {
        _encoder = calls.ResultEncoder;
        _scope = scope;
        _host = host;
        _batch = new CallBatch<T>(this, scope, request.Number, request.FirstCallIndex, calls.Calls, calls.Count)
        {
            DispatchedAt = scope.Time.GetTimestamp(),
            Sharer = host,
            Parent = request.TraceParent is { } parent && ActivityContext.TryParse(parent, null, isRemote: true, out var context) ? context : default,
        };
    }

    internal void Run()
    {
        if (_scope.Timeout is { } timeout)
        {
            var period = OverdueCall.WatchPeriod(timeout);
            _watch = _scope.Time.CreateTimer(static batch => ((ExecutableBatch<T>)batch!).GiveUpOverdueCalls(), this, period, period);
        }

        _batch.Execute();
        _batch.Complete();
    }

    public void BatchEnded(CallBatch batch, Exception? fault)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            return;
        }

        _watch?.Dispose();
        try
        {
            if (fault is not null)
            {
                _host.Ended(OutcomeStatus.Fault, _encoder.EncodeFailure(fault, null));
            }
            else if (_batch.Failure is { } failure)
            {
                _host.Ended(OutcomeStatus.Failed, _encoder.EncodeFailure(failure.Exception, failure.Failure));
            }
            else if (_batch.IsWhole)
            {
                _host.Ended(OutcomeStatus.Completed, _encoder.EncodeResults<T>(_batch.Results, _host.ResultArrays));
            }
            else
            {
                // The run ended here before the calls did: should its client still want them, it sends them again.
                _host.Ended(OutcomeStatus.NotExecuted, []);
            }
        }
        catch (Exception exception)
        {
            _host.Ended(OutcomeStatus.Fault, _encoder.EncodeFailure(exception, null));
        }
    }

    public void CallEnded(bool failed)
    {
    }

    private void GiveUpOverdueCalls()
    {
        foreach (var overdue in _batch.GiveUpOverdue(_scope.Time.GetTimestamp()))
        {
            var (exception, failure) = overdue.Describe(_scope.Timeout!.Value);
            _host.Abandon(overdue.Part);
            if (overdue.Part.EndOverdue(overdue, exception, failure) is { } rest)
            {
                _host.Share(rest);
            }
        }
    }
}
