using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Orleans.Joblib;

/// <summary>The machine's logical processors and physical cores, as its system tells them.</summary>
internal static partial class CpuTopology
{
    private const int RelationProcessorCore = 0;

    /// <returns>Null where the system does not say.</returns>
    internal static (int Logical, int Physical)? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? ReadLinux("/sys/devices/system/cpu")
                : OperatingSystem.IsMacOS() ? ReadMac()
                : OperatingSystem.IsWindows() ? ReadWindows()
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>From the kernel's folder of processors; those that are offline have no topology there.</summary>
    internal static (int Logical, int Physical)? ReadLinux(string processors)
    {
        var logical = 0;
        var cores = new HashSet<string>();
        foreach (var processor in Directory.EnumerateDirectories(processors, "cpu*"))
        {
            var topology = Path.Combine(processor, "topology");
            var core = Path.Combine(topology, "core_id");
            if (File.Exists(core))
            {
                logical++;
                cores.Add(Text(topology, "physical_package_id") + "/" + Text(topology, "die_id") + "/" + Text(topology, "core_id"));
            }
        }

        return logical == 0 ? null : (logical, cores.Count);

        static string Text(string folder, string name) => Path.Combine(folder, name) is var path && File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }

    [SupportedOSPlatform("macos")]
    private static (int Logical, int Physical)? ReadMac() =>
        Sysctl("hw.logicalcpu") is > 0 and var logical && Sysctl("hw.physicalcpu") is > 0 and var physical ? (logical, physical) : null;

    [SupportedOSPlatform("macos")]
    private static int Sysctl(string name)
    {
        nint size = sizeof(int);
        return SysctlByName(name, out var value, ref size, 0, 0) == 0 ? value : 0;
    }

    [SupportedOSPlatform("windows")]
    private static unsafe (int Logical, int Physical)? ReadWindows()
    {
        var length = 0;
        GetLogicalProcessorInformationEx(RelationProcessorCore, null, ref length);
        var buffer = new byte[length];
        fixed (byte* entries = buffer)
        {
            if (length == 0 || GetLogicalProcessorInformationEx(RelationProcessorCore, entries, ref length) == 0)
            {
                return null;
            }

            // SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX: relationship, size, then PROCESSOR_RELATIONSHIP: flags, class, 20 reserved bytes, the count of group masks, the masks.
            var logical = 0;
            var physical = 0;
            for (var at = 0; at < length; at += *(int*)(entries + at + 4))
            {
                physical++;
                var groups = *(ushort*)(entries + at + 30);
                for (var group = 0; group < groups; group++)
                {
                    logical += System.Numerics.BitOperations.PopCount(*(nuint*)(entries + at + 32 + (group * (sizeof(nuint) + 8))));
                }
            }

            return physical == 0 ? null : (logical, physical);
        }
    }

    [LibraryImport("libSystem", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SysctlByName(string name, out int value, ref nint size, nint newValue, nint newSize);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static unsafe partial int GetLogicalProcessorInformationEx(int relationship, byte* buffer, ref int length);
}
