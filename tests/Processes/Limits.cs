using System.Runtime.InteropServices;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>ulimit, for one's own process.</summary>
internal static class Limits
{
    private const int Data = 2;

    /// <summary>Bounds the memory that the process may write to, in bytes.</summary>
    internal static void DataTo(long bytes)
    {
        var limit = new Limit(bytes, bytes);
        if (SetLimit(Data, in limit) != 0)
        {
            throw new InvalidOperationException($"setrlimit: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, in Limit limit);

    private readonly record struct Limit(long Soft, long Hard);
}
