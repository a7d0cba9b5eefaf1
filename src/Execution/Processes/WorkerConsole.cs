using System.Text;

namespace Orleans.Joblib;

/// <summary>What managed code in a worker process writes to the console: sent to the program by whole lines, in order with the outcomes. Thread-safe.</summary>
internal sealed class WorkerConsole(bool isError, Action<Frame> send) : TextWriter
{
    private readonly StringBuilder _line = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_line)
        {
            var end = buffer.LastIndexOf('\n');
            if (end < 0)
            {
                _line.Append(buffer);
                return;
            }

            _line.Append(buffer[..(end + 1)]);
            send(WorkerOutput.Of(isError, _line.ToString()));
            _line.Clear().Append(buffer[(end + 1)..]);
        }
    }

    /// <summary>Sends a line that nobody has ended, as one.</summary>
    internal void Finish()
    {
        lock (_line)
        {
            if (_line.Length > 0)
            {
                send(WorkerOutput.Of(isError, _line.Append('\n').ToString()));
                _line.Clear();
            }
        }
    }
}
