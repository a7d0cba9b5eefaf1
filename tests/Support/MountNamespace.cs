using System.Diagnostics;

namespace Orleans.Joblib.Tests;

/// <summary>A host of its own as far as files go: a mount namespace with a /dev/shm and a /tmp of its own. Needs root. It ends with the test process.</summary>
internal sealed class MountNamespace : IDisposable
{
    private static readonly string Repository = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", ".."));

    private readonly Process _holder;

    private MountNamespace(Process holder) => _holder = holder;

    /// <summary>What runs a command in it.</summary>
    internal string[] Prefix => ["nsenter", $"--mount=/proc/{_holder.Id}/ns/mnt"];

    /// <summary>Its files as this process sees them.</summary>
    internal string Root => $"/proc/{_holder.Id}/root";

    /// <summary>Files of large arrays in its shared memory.</summary>
    internal string[] Segments => Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.npy") : [];

    private string Folder => $"{Root}/dev/shm/orleans-joblib-{FileLocks.UserId()}";

    /// <param name="reason">Why there is none.</param>
    /// <param name="sharedMemoryMegabytes">The size of its /dev/shm.</param>
    /// <param name="kept">A folder below /tmp that stays visible; null for none.</param>
    internal static MountNamespace? TryCreate(out string reason, int sharedMemoryMegabytes = 4096, string? kept = null)
    {
        // Programs are started from where they were built, which may be below /tmp, too.
        var keeps = new[] { kept, Repository }.Where(folder => folder?.StartsWith("/tmp/", StringComparison.Ordinal) == true).ToList();
        var keep = string.Concat(keeps.Select((folder, i) => $"mkdir /mnt/{i} && mount --bind '{folder}' /mnt/{i} && "));
        var back = string.Concat(keeps.Select((folder, i) => $" && mkdir -p '{folder}' && mount --bind /mnt/{i} '{folder}'"));
        var script = $"mount -t tmpfs tmpfs /mnt && {keep}mount -t tmpfs -o size={sharedMemoryMegabytes}m tmpfs /dev/shm && mount -t tmpfs -o size=1g tmpfs /tmp{back} && echo ready && exec cat";
        try
        {
            var holder = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--propagation", "private", "sh", "-c", script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            if (holder.StandardOutput.ReadLine() == "ready")
            {
                reason = "";
                return new MountNamespace(holder);
            }

            reason = $"Mount namespaces cannot be made here: {holder.StandardError.ReadToEnd().Trim()}";
            holder.Dispose();
            return null;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            reason = $"Mount namespaces cannot be made here: {exception.Message}";
            return null;
        }
    }

    /// <summary>Makes its /dev/shm larger or smaller.</summary>
    internal void ResizeSharedMemory(int megabytes) => Run("mount", "-o", $"remount,size={megabytes}m", "/dev/shm");

    /// <summary>Writes to its /dev/shm until nothing more fits.</summary>
    internal void FillSharedMemory() => Run("sh", "-c", "cat /dev/zero > /dev/shm/filler 2> /dev/null; true");

    private void Run(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(Prefix[0], [.. Prefix[1..], .. command]) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{string.Join(' ', command)}' failed: {error}");
        }
    }

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit(Patience.Limit);
        _holder.Dispose();
    }
}
