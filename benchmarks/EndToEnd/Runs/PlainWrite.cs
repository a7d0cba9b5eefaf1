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
    internal void Warm(double[] array)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        for (var i = 0; i < 2; i++)
        {
            Seconds(array);
        }
    }

    internal double Seconds(double[] array)
    {
        var path = Path.Combine(_folder, "plain");
        var began = Stopwatch.GetTimestamp();
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, MemoryMarshal.AsBytes(array.AsSpan()), 0);
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        File.Delete(path);
        return seconds;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
