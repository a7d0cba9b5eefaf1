using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Finds the native libraries that an assembly calls, where the runtime itself would: beside it and in the directories that the host found in deps.json.</summary>
/// <remarks>What only the system has (libc, a library installed on the host) is not found here and not sent: the silo must have it too.</remarks>
internal static class NativeLibraries
{
    private static readonly ConcurrentDictionary<(string Path, long Written, long Length), CodeItem> Known = new();
    private static readonly string[] HostDirectories = ReadHostDirectories();
    private static readonly Lazy<List<HashSet<string>>> ProgramPackages = new(ReadProgramPackages);

    /// <summary>Files to send for one P/Invoke's name: the library, and its package's other native files.</summary>
    internal static IEnumerable<(CodeItem Item, CodeSource Source)> Find(string import, string? assemblyPath)
    {
        string[] directories = assemblyPath is null ? HostDirectories : [Path.GetDirectoryName(assemblyPath)!, .. HostDirectories];
        var library = CodePlatform.NativeFileNames(Path.GetFileName(import)).Select(name => FindFile(name, directories)).FirstOrDefault(path => path is not null);
        if (library is null)
        {
            return [];
        }

        // The package's other files first where they are found beside the library, then wherever else.
        string[] places = [Path.GetDirectoryName(library)!, .. directories];
        var name = Path.GetFileName(library);
        var others = PackagesOf(assemblyPath).Where(package => package.Contains(name)).SelectMany(package => package).Distinct().Where(other => other != name);
        return [Describe(library), .. others.Select(other => FindFile(other, places)).OfType<string>().Select(Describe)];
    }

    private static string? FindFile(string name, string[] directories) =>
        directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    private static (CodeItem, CodeSource) Describe(string path)
    {
        var file = new FileInfo(path);
        var item = Known.GetOrAdd((path, file.LastWriteTimeUtc.Ticks, file.Length), key =>
        {
            using var stream = new FileSource(key.Path).Open();
            return new CodeItem(CodeItemKind.NativeLibrary, Path.GetFileName(key.Path), "", "", Guid.Empty, CodeHash.Of(stream), key.Length, "", CodePlatform.Current);
        });
        return (item, new FileSource(path));
    }

    private static List<HashSet<string>> PackagesOf(string? assemblyPath) =>
        assemblyPath is not null && Path.ChangeExtension(assemblyPath, ".deps.json") is var own && File.Exists(own)
            ? [.. ProgramPackages.Value, .. DepsFile.NativeFilesByPackage(File.ReadAllBytes(own))]
            : ProgramPackages.Value;

    private static string[] ReadHostDirectories()
    {
        var framework = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        return [.. Listed("NATIVE_DLL_SEARCH_DIRECTORIES").Select(Path.TrimEndingDirectorySeparator)
            .Where(directory => directory.Length > 0 && (directory != framework || IsProgramDirectory(directory)))];
    }

    // A self-contained program's own directory is also its framework's. The framework's native libraries are nobody's P/Invokes but the framework's.
    private static bool IsProgramDirectory(string directory) => directory == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    private static List<HashSet<string>> ReadProgramPackages()
    {
        if (Bundle.OfThisProcess is { } bundle)
        {
            return [.. bundle.Entries.Where(entry => entry.RelativePath.EndsWith(".deps.json", StringComparison.Ordinal)).SelectMany(entry => DepsFile.NativeFilesByPackage(entry.Read()))];
        }

        return [.. Listed("APP_CONTEXT_DEPS_FILES", ';').Where(File.Exists).SelectMany(path => DepsFile.NativeFilesByPackage(File.ReadAllBytes(path)))];
    }

    private static string[] Listed(string key, char? separator = null) =>
        AppContext.GetData(key) is string list ? list.Split(separator ?? Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) : [];
}
