using System.Diagnostics;
using System.Globalization;

namespace Orleans.Joblib;

/// <summary>One worker process as its program sees it: frames go out through its standard input and come in from its standard output.</summary>
/// <remarks>
/// Pipes that the runtime makes for the child alone: no name, no folder, nobody else inherits them, and their end is the end of the other side, even under kill -9.
/// Frames are queued and written by whoever finds nobody writing, without blocking: a worker that stands still must not stop the loop. <c>_outgoing</c> is its own lock.
/// </remarks>
internal sealed class WorkerProcess : IDisposable
{
    private const int MostLinesKept = 200;
    private const int MostLastWords = 6;

    // What the runtime says when it ends a process; a stack follows, of which the first lines tell most.
    private static readonly string[] EndMarks = ["Process terminated.", "Stack overflow.", "Unhandled exception.", "Fatal error.", "Out of memory."];

    private const int MostJoined = 1 << 12;
    private const int ReaderStack = 256 << 10;
    private static readonly TimeSpan ReapPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WordsPatience = TimeSpan.FromMilliseconds(250);

    private readonly Process _process;
    private readonly IWorkerOwner _owner;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Queue<Frame> _outgoing = new();
    private readonly Queue<string> _lastWords = new();
    private readonly TaskCompletionSource _errorsRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _killing = new();
    private readonly RuntimeFiles _files;
    private bool _writing;
    private bool _reaped;
    private volatile bool _leadsGroup;

    private WorkerProcess(Process process, IWorkerOwner owner)
    {
        _process = process;
        _owner = owner;
        Id = process.Id;
        _files = RuntimeFiles.Of(Id);
        _input = process.StandardInput.BaseStream;
        _output = process.StandardOutput.BaseStream;
        process.ErrorDataReceived += (_, data) => TakeErrorLine(data.Data);
        process.BeginErrorReadLine();
        LiveWorkers.Add(this);
    }

    internal int Id { get; }

    /// <summary>Completes when the process is gone and its owner has been told.</summary>
    internal Task Ending => _ended.Task;

    /// <summary>Whether it is the leader of a process group, as it says in its first frame.</summary>
    internal bool LeadsGroup { set => _leadsGroup = value; }

    /// <summary>Memory that it occupies, in bytes; 0 where it cannot be told.</summary>
    internal long ResidentBytes
    {
        get
        {
            try
            {
                _process.Refresh();
                return _process.HasExited ? 0 : _process.WorkingSet64;
            }
            catch (InvalidOperationException)
            {
                return 0;
            }
        }
    }

    /// <exception cref="JoblibException">The system does not start it.</exception>
    internal static WorkerProcess Start(WorkerCommand command, IReadOnlyDictionary<string, string> environment, IWorkerOwner owner)
    {
        var start = new ProcessStartInfo(command.FileName, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment.Concat(command.Environment))
        {
            start.Environment[name] = value;
        }

        Process? process;
        try
        {
            process = Process.Start(start);
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or IOException)
        {
            throw new JoblibException(
                "worker-not-started", $"A worker process could not be started with '{command.FileName}': {exception.Message}. Look at the limits of processes, open files and memory of this user or container, or use fewer jobs.", exception);
        }

        return new WorkerProcess(process!, owner);
    }

    /// <summary>Begins to read; the owner is told of everything from now on.</summary>
    internal void Listen() => new Thread(ReadAll, ReaderStack) { IsBackground = true, Name = string.Create(CultureInfo.InvariantCulture, $"joblib-worker-{Id}") }.UnsafeStart();

    /// <summary>Queues a frame; <see cref="Flush"/> sends it. The order of the calls is the order of the frames.</summary>
    internal void Enqueue(Frame frame)
    {
        lock (_outgoing)
        {
            _outgoing.Enqueue(frame);
        }
    }

    /// <summary>Sends what is queued, unless somebody is at it. Does not block.</summary>
    internal void Flush()
    {
        lock (_outgoing)
        {
            if (_writing || _outgoing.Count == 0)
            {
                return;
            }

            _writing = true;
        }

        _ = WriteAsync();
    }

    /// <summary>Ends it and its children now; the owner hears of its end.</summary>
    internal void Kill()
    {
        lock (_killing)
        {
            if (_reaped)
            {
                return;
            }

            try
            {
                // While its children live, nobody else gets its number; when somebody has it (another worker, say), they do not live.
                if (_leadsGroup && !(_process.HasExited && Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{Id}"))))
                {
                    NativeProcess.KillGroup(Id);
                }

                _process.Kill(entireProcessTree: !_leadsGroup && OperatingSystem.IsWindows());
            }
            catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It is gone.
            }
        }
    }

    /// <summary>Removes what its runtime leaves behind when it is killed.</summary>
    internal void DeleteFiles() => _files.Delete();

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _process.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                Frame frame;
                ReadOnlyMemory<byte> head;
                lock (_outgoing)
                {
                    if (!_outgoing.TryDequeue(out frame))
                    {
                        _writing = false;
                        return;
                    }

                    head = frame.Head;
                    while (frame.Payload.Length == 0 && head.Length < MostJoined && _outgoing.TryDequeue(out frame))
                    {
                        // One write: each wakes the worker.
                        head = (byte[])[.. head.Span, .. frame.Head];
                    }
                }

                await _input.WriteAsync(head).ConfigureAwait(false);
                if (frame.Payload.Length > 0)
                {
                    await _input.WriteAsync(frame.Payload).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It has ended: the reading side says so. Nothing is written any more.
        }
    }

    private void ReadAll()
    {
        try
        {
            var reader = new FrameReader(_output);
            while (reader.TryRead(out var kind, out var body))
            {
                _owner.FrameCame(this, kind, body);
            }
        }
        catch (Exception exception)
        {
            // Cut in the middle, not a worker of ours that writes, or more than this process has memory for. It costs the worker, and no more.
            TakeErrorLine(exception.Message);
        }

        // What it started must not outlive it.
        Kill();
        var code = Reap();
        DeleteFiles();
        lock (_killing)
        {
            _reaped = true;
        }

        _errorsRead.Task.Wait(WordsPatience);
        LiveWorkers.Remove(this);
        _owner.Ended(this, new WorkerExit(code, LastWords()));
        Dispose();
        _ended.SetResult();
    }

    private string LastWords()
    {
        lock (_lastWords)
        {
            var lines = _lastWords.ToArray();
            var mark = Array.FindLastIndex(lines, line => EndMarks.Any(mark => line.StartsWith(mark, StringComparison.Ordinal)));
            return string.Join('\n', mark < 0 ? lines.TakeLast(MostLastWords) : lines.Skip(mark).Take(MostLastWords));
        }
    }

    private int Reap()
    {
        try
        {
            return _process.WaitForExit(ReapPatience) ? _process.ExitCode : -1;
        }
        catch (InvalidOperationException)
        {
            return -1;
        }
    }

    private void TakeErrorLine(string? line)
    {
        if (line is null)
        {
            _errorsRead.TrySetResult();
            return;
        }

        lock (_lastWords)
        {
            _lastWords.Enqueue(line);
            if (_lastWords.Count > MostLinesKept)
            {
                _lastWords.Dequeue();
            }
        }

        _owner.ErrorLine(line);
    }
}
