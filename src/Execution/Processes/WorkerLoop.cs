using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>A worker process's life: what <c>src/Worker</c> runs.</summary>
/// <remarks>
/// Two threads: this class's reader takes frames as they come, so that the end of the program, an abort or a recall is seen while a call runs; the main thread executes
/// batches. <c>_gate</c> guards what both touch.
/// </remarks>
// Its streams live as long as the process.
#pragma warning disable CA1001
internal sealed class WorkerLoop
#pragma warning restore CA1001
{
    // A batch is handed from the reader to the main thread in less than a microsecond while that one spins, and in a context switch or two when it sleeps.
    private const int SpinsBeforeSleeping = 60;

    private static readonly TimeSpan WarmUpAfter = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan TrimAfter = TimeSpan.FromSeconds(1);

    // As long as the program keeps segments that nobody uses.
    private static readonly TimeSpan CollectAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestKept = TimeSpan.FromSeconds(60);

    private readonly object _gate = new();
    private readonly Lock _sending = new();
    private readonly Queue<WorkerBatch> _batches = new();
    private readonly HashSet<long> _recalled = [];
    private readonly HashSet<long> _endedRuns = [];
    private readonly List<KnownScope> _scopes = [];
    private readonly Dictionary<long, WorkerArrays> _arrays = [];
    private readonly Queue<WorkerArrays> _endedArrays = new();
    private readonly Dictionary<long, ResultArrays> _results = [];
    private readonly WorkerCode _code = new();
    private readonly WorkerThreads _threads = new(pool: null);
    private readonly ThreadLimit? _limit = ThreadCapEnvironment.OfThisWorker();
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Stream? _written;
    private readonly WorkerConsole _out;
    private readonly WorkerConsole _error;
    private readonly bool _leadsGroup;
    private readonly string _version;
    private PayloadCodec? _codec;
    private WorkerMemory? _memory;
    private byte[]? _initializer;
    private LogLevel _logLevel = LogLevel.Warning;
    private volatile bool _traces;
    private bool _tells;
    private bool _shutdown;
    private bool _takesNoMore;
    private volatile bool _waiting;
    private bool _hasWorked;
    private bool _isWarm;
    private long _collectsAt;
    private volatile bool _hasHadArrays;

    private WorkerLoop(string version)
    {
        _version = version;
        _leadsGroup = NativeProcess.LeadGroup();
        if (OperatingSystem.IsWindows())
        {
            _ = WindowsJob.TryEnter();
            _input = Console.OpenStandardInput();
            _output = Console.OpenStandardOutput();
        }
        else
        {
            // Native code and programs that calls start must find neither our frames to read nor a place among them to write.
            _input = Raw(NativeProcess.MoveStandardInput(), FileAccess.Read);
            var (frames, written) = NativeProcess.MoveStandardOutput();
            _output = Raw(frames, FileAccess.Write);
            _written = Raw(written, FileAccess.Read);
        }

        _out = new WorkerConsole(isError: false, Send);
        _error = new WorkerConsole(isError: true, Send);
    }

    /// <summary>Executes batches until the program says that it is enough, or is gone.</summary>
    /// <param name="version">The worker's version, for messages.</param>
    internal static void Run(string version)
    {
        WorkerOrigin.Take();
        new WorkerLoop(version).Run();
    }

    private static FileStream Raw(int descriptor, FileAccess access) => new(new SafeFileHandle(descriptor, ownsHandle: true), access, bufferSize: 0);

    private void Run()
    {
        Console.SetOut(_out);
        Console.SetError(_error);
        WorkerLog.Factory = new WorkerLoggerFactory(Send, () => _logLevel);
        Send(WorkerHello.Of(_leadsGroup, _version));
        new Thread(ReadAll, 256 << 10) { IsBackground = true, Name = "joblib-worker-reader" }.UnsafeStart();
        if (_written is not null)
        {
            new Thread(PassOn, 256 << 10) { IsBackground = true, Name = "joblib-worker-output" }.UnsafeStart();
        }

        Thread.CurrentThread.Name = "joblib-worker";
        WorkerThreads.Current = _threads;
        while (ExecuteNext())
        {
            LookAtMemory();
            LetGoOfEndedRuns();
        }

        // What nobody has taken yet would go with this process.
        lock (_gate)
        {
            var started = Environment.TickCount64;
            while (_results.Count > 0 && Environment.TickCount64 - started < LongestKept.TotalMilliseconds)
            {
                Monitor.Wait(_gate, TrimAfter);
            }
        }

        _out.Finish();
        _error.Finish();
        Environment.Exit(0);
    }

    // On its own, so that nothing of a batch is on the stack when memory is looked at.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ExecuteNext()
    {
        if (Next() is not { } batch)
        {
            return false;
        }

        Execute(batch);
        return true;
    }

    // After the outcome has been sent: large arguments and results are no growth.
    private void LookAtMemory()
    {
        if (_memory!.HasGrownTooMuch(out var bytes))
        {
            StopTaking();
            Send(BatchFrames.Of(new WorkerOutcome(BatchFrames.NoBatch, OutcomeStatus.NotExecuted, default, TimeSpan.Zero, LeaveReason.Memory, bytes, _memory.FirstBytes)));
        }
    }

    // What runs have mapped is kept for the next, until a collection: one that comes while a worker has nothing to do, or else this one.
    private void LetGoOfEndedRuns()
    {
        if (_collectsAt != 0 && Environment.TickCount64 >= _collectsAt)
        {
            _collectsAt = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
        }
    }

    /// <summary>Sends a frame. A program that is gone is noticed by the reader.</summary>
    private void Send(Frame frame)
    {
        try
        {
            lock (_sending)
            {
                _output.Write(frame.Head);
                if (frame.Payload.Length > 0)
                {
                    _output.Write(frame.Payload.Span);
                }
            }
        }
        catch (IOException)
        {
            Die();
        }
    }

    private void ReadAll()
    {
        try
        {
            var reader = new FrameReader(_input);
            while (reader.TryRead(out var kind, out var body))
            {
                Take(kind, body);
            }
        }
        catch (Exception exception) when (exception is IOException or JoblibException)
        {
            // The program is gone in the middle of a frame.
        }

        Die();
    }

    // What native code and other processes of the calls write to standard output. Standard error goes straight to the program: it must survive a crash.
    private void PassOn()
    {
        using var reader = new StreamReader(_written!);
        while (reader.ReadLine() is { } line)
        {
            Send(WorkerOutput.Of(isError: false, line + "\n"));
        }
    }

    // Nobody wants anything of this process any more, nor of those that its calls started.
    private void Die()
    {
        if (_hasHadArrays)
        {
            LetGoOfArrays();
        }

        RuntimeFiles.Of(Environment.ProcessId).Delete();
        if (_leadsGroup)
        {
            NativeProcess.KillOwnGroup();
        }

        Process.GetCurrentProcess().Kill();
    }

    // The last of the program's processes to end leaves nothing in shared memory. The others may take a moment to be gone.
    private static void LetGoOfArrays()
    {
        for (var tries = 0; tries < 10; tries++)
        {
            ArrayStores.Close();
            Thread.Sleep(10);
        }
    }

    private void Take(FrameKind kind, byte[] body)
    {
        switch (kind)
        {
            case FrameKind.Setup:
                var setup = BatchFrames.ReadSetup(body);
                SharedCode.Adopt(setup.SharedNames);
                _memory = new WorkerMemory(setup.MaxMemoryGrowth);
                break;
            case FrameKind.Code:
                _code.Add(CodePiece.Read(body));
                break;
            case FrameKind.Initialize:
                lock (_gate)
                {
                    _initializer = body;
                    Wake();
                }

                break;
            case FrameKind.Batch:
                lock (_gate)
                {
                    if (!_takesNoMore)
                    {
                        _batches.Enqueue(BatchFrames.ReadBatch(body));
                        Wake();
                    }
                }

                break;
            case FrameKind.Run:
                var (run, arrays) = BatchFrames.ReadRun(body);
                ArrayStores.Expect(arrays);
                _hasHadArrays = true;
                lock (_gate)
                {
                    _arrays.Add(run, new WorkerArrays(arrays));
                }

                break;
            case FrameKind.Reclaim:
                lock (_gate)
                {
                    foreach (var one in _arrays.Values)
                    {
                        one.Forget();
                    }
                }

                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
                GC.WaitForPendingFinalizers();
                break;
            case FrameKind.Taken:
                Taken(BitConverter.ToInt64(body));
                break;
            case FrameKind.Recall:
                Recall(BitConverter.ToInt64(body));
                break;
            case FrameKind.EndRun:
                var (ended, answers) = BatchFrames.ReadEndRun(body);
                EndRun(ended);
                if (answers)
                {
                    Send(Frame.Of(FrameKind.RunEnded, writer => writer.WriteRaw(ended)));
                }

                break;
            case FrameKind.Shutdown:
                lock (_gate)
                {
                    _shutdown = true;
                    Wake();
                }

                break;
        }
    }

    // Called with _gate held.
    private void Wake()
    {
        _waiting = true;
        Monitor.Pulse(_gate);
    }

    private WorkerBatch? Next()
    {
        var spinner = default(SpinWait);
        while (!_waiting && spinner.Count < SpinsBeforeSleeping)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        while (true)
        {
            byte[]? initializer = null;
            WorkerArrays? ended = null;
            var trims = false;
            var warmsUp = false;
            lock (_gate)
            {
                while (true)
                {
                    // Here, where no call is under way that could still write to them.
                    if (_endedArrays.TryDequeue(out ended))
                    {
                        break;
                    }

                    if (_initializer is not null)
                    {
                        initializer = _initializer;
                        _initializer = null;
                        break;
                    }

                    if (_batches.TryDequeue(out var batch))
                    {
                        _waiting = _batches.Count > 0;
                        _hasWorked = true;
                        _isWarm = true;
                        return batch;
                    }

                    if (_shutdown)
                    {
                        return null;
                    }

                    _waiting = false;
                    if (!_isWarm)
                    {
                        if (!Monitor.Wait(_gate, WarmUpAfter) && !_waiting)
                        {
                            _isWarm = true;
                            warmsUp = true;
                            break;
                        }
                    }
                    else if (!_hasWorked)
                    {
                        Monitor.Wait(_gate);
                    }
                    else if (!Monitor.Wait(_gate, TrimAfter) && !_waiting)
                    {
                        _hasWorked = false;
                        trims = true;
                        break;
                    }
                }
            }

            if (ended is not null)
            {
                if (ended.HasMapped && _collectsAt == 0)
                {
                    _collectsAt = Environment.TickCount64 + (long)CollectAfter.TotalMilliseconds;
                }

                ended.Dispose();
            }
            else if (initializer is not null)
            {
                Initialize(initializer);
            }
            else if (warmsUp)
            {
                WarmUp();
            }
            else if (trims)
            {
                // Workers are kept for minutes: what the last calls needed goes back to the system.
                _collectsAt = 0;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                ArrayStores.Tidy(maxIdleBytes: 0);
                NativeProcess.TrimHeap();
            }
        }
    }

    private void Taken(long handle)
    {
        ResultArrays? taken;
        lock (_gate)
        {
            _results.Remove(handle, out taken);
            Monitor.Pulse(_gate);
        }

        taken?.Dispose();
    }

    private void Recall(long handle)
    {
        lock (_gate)
        {
            if (!_batches.Any(batch => batch.Request.Handle == handle))
            {
                return;
            }

            var kept = _batches.Where(batch => batch.Request.Handle != handle).ToArray();
            _batches.Clear();
            foreach (var batch in kept)
            {
                _batches.Enqueue(batch);
            }
        }

        Send(BatchFrames.Of(new WorkerOutcome(handle, OutcomeStatus.NotExecuted, default, TimeSpan.Zero)));
    }

    private void EndRun(long run)
    {
        List<RunScope> ended;
        lock (_gate)
        {
            _endedRuns.Add(run);
            if (_arrays.Remove(run, out var arrays))
            {
                _endedArrays.Enqueue(arrays);
                Wake();
            }

            ended = [.. _scopes.Where(known => known.Run == run).Select(known => known.Scope)];
            _scopes.RemoveAll(known => known.Run == run);
        }

        foreach (var scope in ended)
        {
            scope.End();
        }
    }

    private RunScope? ScopeOf(WorkerBatch batch)
    {
        lock (_gate)
        {
            if (_endedRuns.Contains(batch.Run))
            {
                return null;
            }

            foreach (var known in _scopes)
            {
                if (known.Run == batch.Run && known.Scope.Timeout == batch.Request.Timeout && known.NestingLevel == batch.Request.NestingLevel)
                {
                    return known.Scope;
                }
            }

            // Runs come one after the other, a few at a time: those of long ago have ended without a word.
            if (_scopes.Count >= 64)
            {
                _scopes.Clear();
            }

            var scope = new RunScope { Context = NestingLevel.Capture(batch.Request.NestingLevel), Timeout = batch.Request.Timeout, ReportsCalls = false };
            _scopes.Add(new KnownScope(batch.Run, batch.Request.NestingLevel, scope));
            return scope;
        }
    }

    private void Initialize(byte[] payload)
    {
        var request = new RemoteBatch(BatchFrames.InitializerHandle, 0, 0, 1, [], null, 0, null);
        var scope = new RunScope { Context = ExecutionContext.Capture()!, Timeout = null, ReportsCalls = false };
        ExecutableBatch.Execute(request, payload, Codec, scope, new Host(this, request, null, null));
    }

    // A first batch is mostly compilation: who has nothing to do yet makes a call of its own, so that the program's first one waits for its own code alone.
    private void WarmUp()
    {
        var request = new RemoteBatch(BatchFrames.NoBatch, 0, 0, 1, [], null, 0, null);
        var scope = new RunScope { Context = NestingLevel.Capture(1), Timeout = null, ReportsCalls = false };
        try
        {
            ExecutableBatch.Execute(request, Codec.Encoder.EncodeCalls<int>([new Delayed<int>(static () => 1)]), Codec, scope, Nobody.Instance);
        }
        catch (CannotTravelException)
        {
            // Calls are of the program's code; that this library's own can travel everywhere is nobody's promise.
        }
    }

    private void Execute(WorkerBatch batch)
    {
        _logLevel = batch.LogLevel;
        _threads.Enter(_limit, Stopwatch.GetTimestamp());
        _traces = batch.Request.TraceParent is not null;
        if (_traces && !_tells)
        {
            _tells = true;
            WorkerSpans.SendTo(Send, () => _traces);
        }

        if (ScopeOf(batch) is { } scope)
        {
            ExecutableBatch.Execute(batch.Request, batch.Payload, Codec, scope, new Host(this, batch.Request, ArraysOf(batch.Run), batch.MovedArrays));
        }
        else
        {
            Send(BatchFrames.Of(new WorkerOutcome(batch.Request.Handle, OutcomeStatus.NotExecuted, default, TimeSpan.Zero)));
        }
    }

    private WorkerArrays? ArraysOf(long run)
    {
        lock (_gate)
        {
            return _arrays.GetValueOrDefault(run);
        }
    }

    private PayloadCodec Codec => _codec ??= new PayloadCodec(new PayloadEncoder(NoReferences.Instance, new SerializerTable()), new PayloadDecoder(_code));

    /// <summary>The scope of a run's batches.</summary>
    private sealed record KnownScope(long Run, int NestingLevel, RunScope Scope);

    /// <summary>Whom a warm-up's outcome goes to.</summary>
    private sealed class Nobody : IRemoteBatchHost
    {
        internal static readonly Nobody Instance = new();

        public bool WantsWork => false;

        public void Share(CallBatch part)
        {
        }

        public void Abandon(CallBatch part)
        {
        }

        public void Ended(OutcomeStatus status, byte[] payload)
        {
        }
    }

    /// <summary>Has this process execute one batch.</summary>
    private sealed class Host(WorkerLoop loop, RemoteBatch request, WorkerArrays? arrays, IReadOnlyDictionary<string, string>? moved) : IRemoteBatchHost
    {
        private readonly ResultArrays? _results = arrays?.NewResults();
        private readonly long _startedAt = Stopwatch.GetTimestamp();
        private volatile bool _overdue;

        // A batch that turns out long keeps its calls: there is one worker here.
        public bool WantsWork => false;

        // What is left behind a call that overran its timeout, and whose failure is kept as a value.
        public void Share(CallBatch part) => new Thread(() =>
        {
            part.Sharer = this;
            part.Execute();
            part.Complete();
        })
        {
            IsBackground = true,
            Name = "joblib-worker",
        }.UnsafeStart();

        public void Abandon(CallBatch part) => _overdue = true;

        public IArraySource? Arrays => moved is null || arrays is null ? arrays?.Source : new MovedArrays(arrays.Source, moved);

        public IArraySink? ResultArrays => _results;

        public void Ended(OutcomeStatus status, byte[] payload)
        {
            var executed = Stopwatch.GetElapsedTime(_startedAt);
            var leaving = _overdue ? LeaveReason.Overdue : LeaveReason.None;
            var paths = status == OutcomeStatus.Completed && _results is { References: { Count: > 0 } written } ? written.Select(reference => reference.Path).ToArray() : null;
            Frame frame;
            try
            {
                // A silo could not send it on, and would need memory for it twice to find that out.
                frame = payload.Length > JoblibProtocol.MostPayloadBytes && WorkerOrigin.Backend == WorkerOrigin.OfSilo
                    ? throw PayloadBound.ResultsTooLarge(request.FirstCallIndex, request.Calls, payload.Length)
                    : BatchFrames.Of(new WorkerOutcome(request.Handle, status, payload, executed, leaving, Arrays: paths));
            }
            catch (JoblibException tooLarge)
            {
                frame = BatchFrames.Of(new WorkerOutcome(request.Handle, OutcomeStatus.Fault, loop.Codec.Encoder.EncodeFailure(tooLarge, null), executed, leaving));
                paths = null;
            }

            if (paths is not null)
            {
                lock (loop._gate)
                {
                    loop._results.Add(request.Handle, _results!);
                }
            }
            else
            {
                _results?.Dispose();
            }

            if (leaving != LeaveReason.None)
            {
                loop.StopTaking();
            }

            loop.Send(frame);
        }
    }

    // What waits here, or is on its way, the program gives to others as soon as it hears of it.
    private void StopTaking()
    {
        lock (_gate)
        {
            _takesNoMore = true;
            _batches.Clear();
        }
    }
}
