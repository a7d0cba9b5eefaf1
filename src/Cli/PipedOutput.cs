using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib.Cli;

/// <summary>Standard output to another program. .NET's own says nothing when that program has gone, as 'head' does when it has what it wants.</summary>
internal static class PipedOutput
{
    private const int BrokenPipe = 32;

    /// <summary>Has writes fail from now on when nobody reads any more.</summary>
    internal static void Use()
    {
        if (!Console.IsOutputRedirected || OperatingSystem.IsWindows())
        {
            return;
        }

        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

        // In a file others, standard error say, may write at the same end.
        if (!stream.CanSeek)
        {
            Console.SetOut(TextWriter.Synchronized(new StreamWriter(stream) { AutoFlush = true }));
        }
    }

    /// <summary>Whether that is why a write failed.</summary>
    internal static bool IsBroken(Exception exception) => exception is IOException { HResult: BrokenPipe };
}
