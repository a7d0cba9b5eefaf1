using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>The platform that compiled code is for, as <c>linux-x64</c>.</summary>
internal static class CodePlatform
{
    /// <summary>This process's.</summary>
    internal static string Current { get; } = $"{SystemName()}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>A native library's file names for a name in a P/Invoke, the likeliest first.</summary>
    internal static IEnumerable<string> NativeFileNames(string name)
    {
        var suffix = OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so";
        if (name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) || name.Contains(suffix + ".", StringComparison.Ordinal))
        {
            return [name, "lib" + name];
        }

        return OperatingSystem.IsWindows() ? [name + suffix, name] : ["lib" + name + suffix, name + suffix, name, "lib" + name];
    }

    private static string SystemName() =>
        OperatingSystem.IsWindows() ? "win"
        : OperatingSystem.IsMacOS() ? "osx"
        : RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal) ? "linux-musl"
        : "linux";
}
