using System.Globalization;

namespace Orleans.Joblib.Tests;

/// <summary>Where calls meet their test, whichever process of this host they are made in: a folder, so that what a call captures is a path.</summary>
/// <remarks>Signals and counters have names. Thread-safe, and safe between processes.</remarks>
internal sealed class Rendezvous : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("joblib-tests-").FullName;

    /// <summary>What must be visible wherever calls are made.</summary>
    internal string Folder => _folder;

    internal void Set(string signal) => File.WriteAllBytes(PathOf(signal), []);

    internal bool IsSet(string signal) => File.Exists(PathOf(signal));

    internal void Await(string signal, string what) => Until(() => IsSet(signal), what);

    internal async Task AwaitAsync(string signal, string what)
    {
        for (var startedAt = Environment.TickCount64; !IsSet(signal); await Task.Delay(1))
        {
            Check(startedAt, what);
        }
    }

    /// <summary>Adds to a counter, which begins at 0, and gives its new value.</summary>
    internal int Add(string counter, int number = 1)
    {
        using var file = Open(counter);
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        var value = (file.ReadAtLeast(bytes, sizeof(int), throwOnEndOfStream: false) == sizeof(int) ? BitConverter.ToInt32(bytes) : 0) + number;
        file.Position = 0;
        BitConverter.TryWriteBytes(bytes, value);
        file.Write(bytes);
        return value;
    }

    internal int Count(string counter) => Add(counter, 0);

    /// <summary>Waits until a counter has come so far.</summary>
    internal void Until(string counter, int number, string what) => Until(() => Count(counter) >= number, what);

    /// <summary>Waits until as many as that have come, and again for the next as many: a barrier.</summary>
    internal void Meet(string barrier, int parties, string what)
    {
        var place = Add(barrier) - 1;
        var last = place - (place % parties) + parties;
        Until(() => Count(barrier) >= last, what);
    }

    /// <summary>Adds a line to a list.</summary>
    internal void Note(string list, string line)
    {
        using var file = Open(list);
        file.Seek(0, SeekOrigin.End);
        using var writer = new StreamWriter(file);
        writer.WriteLine(line);
    }

    internal void Note(string list, int number) => Note(list, number.ToString(CultureInfo.InvariantCulture));

    internal string[] Noted(string list)
    {
        using var file = Open(list);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Calls that still wait here are let go.</summary>
    public void Dispose()
    {
        for (var startedAt = Environment.TickCount64; ; Thread.Sleep(1))
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (IOException)
            {
                // A call that nobody waits for any more has put a file there in between.
                CheckPatience(startedAt, $"'{_folder}' to be deleted");
            }
        }
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Until(Func<bool> condition, string what)
    {
        for (var startedAt = Environment.TickCount64; !condition(); Thread.Sleep(1))
        {
            Check(startedAt, what);
        }
    }

    private void Check(long startedAt, string what)
    {
        if (!Directory.Exists(_folder))
        {
            throw new OperationCanceledException($"The test ended before {what}.");
        }

        CheckPatience(startedAt, what);
    }

    private static void CheckPatience(long startedAt, string what)
    {
        if (Environment.TickCount64 - startedAt > Patience.Limit.TotalMilliseconds)
        {
            throw new HungException(what);
        }
    }

    /// <summary>Opens a file for this caller alone; others wait.</summary>
    private FileStream Open(string name)
    {
        for (var startedAt = Environment.TickCount64; ; Thread.Sleep(0))
        {
            try
            {
                return new FileStream(PathOf(name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException))
            {
                CheckPatience(startedAt, $"the file of '{name}'");
            }
        }
    }
}
