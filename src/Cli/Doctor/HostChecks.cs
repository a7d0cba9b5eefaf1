using System.Globalization;

namespace Orleans.Joblib.Cli;

/// <summary>This host: shared memory, limits of processes and files.</summary>
internal static class HostChecks
{
    private const long LeastFiles = 4_096;
    private const long LeastProcesses = 1_024;

    internal static IEnumerable<Finding> Look()
    {
        yield return Arrays();
        if (OperatingSystem.IsLinux())
        {
            yield return Limit("open-files", "Max open files", LeastFiles, "Raise it: 'ulimit -n 65536', LimitNOFILE= of the systemd unit, or --ulimit of the container. Every client and silo that a silo talks to is an open file, and every array too.");
            yield return Limit("processes", "Max processes", LeastProcesses, "Raise it: 'ulimit -u 4096', LimitNPROC= or TasksMax= of the systemd unit. Every worker is a thread, and some are processes.");
            if (ProcessesOfContainer() is { } container)
            {
                yield return container;
            }
        }

        yield return Finding.Ok("cores", string.Create(CultureInfo.InvariantCulture, $"{Joblib.CpuCount()} cores, {ReportTables.Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)} of memory for this process"));
    }

    private static Finding Arrays()
    {
        const string Check = "shared-memory";
        var options = new ArrayStoreOptions();
        var named = Environment.GetEnvironmentVariable(ArrayStoreOptions.FolderVariable) is { Length: > 0 };
        var folder = options.Parents()[0];
        try
        {
            var drive = new DriveInfo(folder);
            var place = $"large arrays go to '{folder}' ({drive.DriveFormat}): {ReportTables.Bytes(drive.AvailableFreeSpace)} of {ReportTables.Bytes(drive.TotalSize)} free";
            var probe = Path.Combine(folder, $"joblib-doctor-{Environment.ProcessId}");
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
            if (!named && folder != options.SharedMemory)
            {
                var free = Directory.Exists(options.SharedMemory) ? $"has {ReportTables.Bytes(new DriveInfo(options.SharedMemory).AvailableFreeSpace)} free, under {ReportTables.Bytes(ArrayStoreOptions.LeastSharedMemory)}" : "is not there";
                return Finding.Warning(Check, $"'{options.SharedMemory}' {free}, so {place}", "Give the container more shared memory (--shm-size 4g; on Kubernetes an emptyDir with medium Memory), or name a folder with JOBLIB_TEMP_FOLDER.");
            }

            return drive.AvailableFreeSpace < ArrayStoreOptions.LeastSharedMemory
                ? Finding.Warning(Check, place, "Make room, or name another folder with JOBLIB_TEMP_FOLDER (a silo: --array-folder).")
                : Finding.Ok(Check, place);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Finding.Fault(Check, $"large arrays cannot go to '{folder}': {exception.Message}", "Give this user the right to write there, or name another folder with JOBLIB_TEMP_FOLDER (a silo: --array-folder).");
        }
    }

    /// <summary>The hard limit: .NET raises its own soft one to it.</summary>
    private static Finding Limit(string check, string name, long least, string remedy)
    {
        var line = Array.Find(File.ReadAllLines("/proc/self/limits"), line => line.StartsWith(name, StringComparison.Ordinal));
        var hard = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
        return !long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit >= least
            ? Finding.Ok(check, $"limit: {hard ?? "none"}")
            : Finding.Warning(check, string.Create(CultureInfo.InvariantCulture, $"limit: {limit}, under {least}"), remedy);
    }

    private static Finding? ProcessesOfContainer()
    {
        const string Path = "/sys/fs/cgroup/pids.max";
        try
        {
            return !File.Exists(Path) || !long.TryParse(File.ReadAllText(Path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? null
                : most >= LeastProcesses ? Finding.Ok("container-processes", string.Create(CultureInfo.InvariantCulture, $"limit: {most}"))
                : Finding.Warning("container-processes", string.Create(CultureInfo.InvariantCulture, $"limit: {most} threads and processes, under {LeastProcesses}"), "Raise it: --pids-limit of the container, podPidsLimit of the kubelet.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
