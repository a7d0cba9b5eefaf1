using System.Diagnostics;

namespace Orleans.Joblib.Tests.Code;

/// <summary>A file system of a few megabytes (tmpfs), which fills up as a disk does.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string directory) => Directory = directory;

    internal string Directory { get; }

    /// <param name="bytes">Its size.</param>
    /// <param name="files">The most files and folders on it; null for any number.</param>
    internal static SmallDisk? TryMount(int bytes, int? files = null)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("joblib-disk-").FullName;
        if (OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", files is null ? $"size={bytes}" : $"size={bytes},nr_inodes={files}", "tmpfs", directory))
        {
            return new SmallDisk(directory);
        }

        System.IO.Directory.Delete(directory);
        return null;
    }

    public void Dispose()
    {
        Run("umount", "-l", Directory);
        System.IO.Directory.Delete(Directory);
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            return process.WaitForExit(Patience.Limit) && process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
