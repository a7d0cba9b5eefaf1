using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>One plain write of an array to a new file in shared memory: what arrays are measured against.</summary>
internal sealed class PlainWrite : IDisposable
{
    private readonly string _folder = Path.Combine("/dev/shm", $"joblib-benchmark-{Guid.NewGuid():n}");

    internal PlainWrite()
    {
        if (!Directory.Exists("/dev/shm"))
        {
            throw new SkippedException("there is no /dev/shm here");
        }

        Directory.CreateDirectory(_folder);
    }

    /// <summary>Gets the pages that will be written to from the machine's host, which takes back what was freed some seconds ago and is slow to return it.</summary>
    internal void Warm(params double[][] arrays)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        for (var i = 0; i < 2; i++)
        {
            Seconds(arrays);
        }
    }

    /// <summary>Each to a file of its own; they are removed when all are written.</summary>
    internal double Seconds(params double[][] arrays)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < arrays.Length; i++)
        {
            using var file = File.OpenHandle(PathOf(i), FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, MemoryMarshal.AsBytes(arrays[i].AsSpan()), 0);
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        for (var i = 0; i < arrays.Length; i++)
        {
            File.Delete(PathOf(i));
        }

        return seconds;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string PathOf(int number) => Path.Combine(_folder, $"plain-{number}");
}
