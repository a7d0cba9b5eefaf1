using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Orleans.Joblib.Gateway.Wire;

namespace Orleans.Joblib.Gateway;

/// <summary>One run of a client that is not .NET: its batches go to the cluster as those of a program here would, its outcomes wait in <see cref="Messages"/>. Thread-safe.</summary>
internal sealed class GatewayRun : IBatchOwner, IFollowedLoop, IAsyncDisposable
{
    private const string RunCancelled = "run-cancelled";

    private readonly ConcurrentDictionary<int, RunScope> _scopes = new();
    private readonly ConcurrentDictionary<long, OpaqueBatch> _kept = new();
    private readonly ConcurrentDictionary<string, ArrayLease> _brought = new(StringComparer.Ordinal);

    // As many as the client has batches on the way: it bounds them.
    private readonly Channel<GatewayMessage> _messages = Channel.CreateUnbounded<GatewayMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ClusterRun _run;
    private readonly ArraySettings _arrays;
    private int _slots;
    private volatile bool _hasEnded;

    private GatewayRun(ClusterRun run, ArraySettings arrays)
    {
        _run = run;
        _arrays = arrays;
        _slots = run.SlotCount;
    }

    internal Guid Id => _run.Id;

    internal int SlotCount => _run.SlotCount;

    internal ChannelReader<GatewayMessage> Messages => _messages.Reader;

    public ClientProgress Progress { get; private set; } = new(0, 0, null);

    /// <exception cref="JoblibException">The cluster cannot be reached, or has no slots for it.</exception>
    internal static async Task<GatewayRun> OpenAsync(IClusterClient client, RunRequest request, ArraySettings arrays, SharedBlobs? blobs, CancellationToken cancellationToken)
    {
        var cluster = await ClusterRun.OpenAsync(client, request, new OrleansBackendOptions(), cancellationToken).ConfigureAwait(false);
        var run = new GatewayRun(cluster, arrays);
        if (run._slots == 0)
        {
            await run.DisposeAsync().ConfigureAwait(false);
            throw new JoblibException(
                "silo-without-python", $"No silo of the cluster executes {request.Runtime!.Name}: start silos with --python and the path of an interpreter that has joblib-orleans.");
        }

        cluster.BeginLoop(arrays, blobs);
        cluster.Follow(run);
        return run;
    }

    /// <summary>Takes a batch in hand. Its outcome comes, whatever happens.</summary>
    internal void Send(Batch message)
    {
        var scope = _scopes.GetOrAdd(message.NestingLevel, static level => new RunScope
        {
            Context = ExecutionContext.Capture()!,
            Timeout = null,
            ReportsCalls = false,
            NestingLevel = level,
        });
        var batch = new OpaqueBatch(this, scope, message.Handle, message.Number, message.FirstCall, message.Calls, message.Payload.ToByteArray(), message.Arrays)
        {
            DispatchedAt = scope.Time.GetTimestamp(),
        };
        try
        {
            _run.Send(batch);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
        }
    }

    internal void Take(Wire.Progress progress) => Progress = new ClientProgress(
        progress.Dispatched,
        progress.Completed,
        progress.Total < 0 ? null : progress.Total,
        progress.Failure is { } failure
            ? new RunFailure(failure.Exception, failure.CallIndex < 0 ? null : failure.CallIndex, Text(failure.Call), Text(failure.Traceback), Text(failure.Worker))
            : null);

    /// <summary>The client has the large arrays of an outcome.</summary>
    internal void Taken(long handle)
    {
        if (_kept.TryRemove(handle, out var batch))
        {
            Release(batch);
        }
    }

    /// <summary>Brings a large array of the client's to this host.</summary>
    /// <returns>Its file.</returns>
    internal async Task<string> PutAsync(long length, IAsyncEnumerable<ReadOnlyMemory<byte>> parts)
    {
        var lease = await ArrayStores.Of(_arrays).PutFileAsync(length, parts).ConfigureAwait(false);
        var path = lease.Segment.Path;
        _brought[path] = lease;
        if (_hasEnded)
        {
            ReleaseBrought();
        }

        return path;
    }

    /// <summary>The client has no batch any more that refers to an array that was brought, and will have none.</summary>
    internal void Release(string path)
    {
        if (_brought.TryRemove(path, out var lease))
        {
            lease.Dispose();
        }
    }

    /// <summary>A large array of an outcome that the client has not taken; null when there is none.</summary>
    internal HeldFile? FileOf(long handle, string name) => _kept.GetValueOrDefault(handle)?.Files.FirstOrDefault(file => file.Name == name);

    public void BatchEnded(CallBatch batch, Exception? fault)
    {
        var opaque = (OpaqueBatch)batch;
        var outcome = new Outcome { Handle = opaque.ClientHandle };
        if (fault is not null && GatewayErrors.CodeOf(fault) == RunCancelled)
        {
            // All batches end with it, and the client has to hear it once.
            _messages.Writer.TryWrite(new GatewayMessage { Cancelled = new Cancelled { Reason = fault.Message } });
            return;
        }

        if (fault is not null)
        {
            outcome.Status = fault is TerminatedWorkerException ? Status.WorkerDied : Status.Fault;
            outcome.Error = fault.Message;
            outcome.ErrorCode = GatewayErrors.CodeOf(fault);
        }
        else if (opaque.HasKilled)
        {
            outcome.Status = Status.WorkerDied;
            outcome.Error = $"A worker process died while it executed {opaque.Count} calls from call {opaque.FirstCallIndex}.";
        }
        else if (opaque.Outcome is { } payload)
        {
            outcome.Status = opaque.HasFailed ? Status.Failed : Status.Completed;
            outcome.Payload = UnsafeByteOperations.UnsafeWrap(payload);
            outcome.QueuedSeconds = Math.Max(opaque.Scope.Time.GetElapsedTime(opaque.DispatchedAt, opaque.StartedAt).TotalSeconds, 0);
            outcome.ExecutedSeconds = Math.Max(opaque.Scope.Time.GetElapsedTime(opaque.StartedAt).TotalSeconds, 0);
            outcome.Arrays.AddRange(opaque.Files.Select(file => new ResultArray { Path = file.Name, File = file.Path, Bytes = file.Length }));
        }
        else
        {
            // The run is over: nobody listens.
            return;
        }

        if (opaque.Files.Count > 0)
        {
            _kept[opaque.ClientHandle] = opaque;
        }

        if (_hasEnded)
        {
            ReleaseKept();
            return;
        }

        var slots = _run.SlotCount;
        if (Interlocked.Exchange(ref _slots, slots) != slots)
        {
            _messages.Writer.TryWrite(new GatewayMessage { Slots = new Slots { Slots_ = slots } });
        }

        _messages.Writer.TryWrite(new GatewayMessage { Outcome = outcome });
    }

    public void CallEnded(bool failed)
    {
    }

    public async ValueTask DisposeAsync()
    {
        _hasEnded = true;
        _messages.Writer.TryComplete();
        _run.Follow(null);
        foreach (var scope in _scopes.Values)
        {
            scope.End();
        }

        await _run.DisposeAsync().ConfigureAwait(false);
        ReleaseKept();
        ReleaseBrought();
    }

    private static string? Text(string text) => text.Length == 0 ? null : text;

    private static void Release(OpaqueBatch batch)
    {
        foreach (var file in batch.Files)
        {
            file.Dispose();
        }
    }

    private void ReleaseKept()
    {
        foreach (var handle in _kept.Keys)
        {
            Taken(handle);
        }
    }

    private void ReleaseBrought()
    {
        foreach (var path in _brought.Keys)
        {
            Release(path);
        }
    }
}
