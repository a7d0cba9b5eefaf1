using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>Finds the bytes of this program's assemblies: files, a single-file program, memory. A file is read and hashed once per process.</summary>
internal static class AssemblyFiles
{
    private static readonly ConcurrentDictionary<(string Path, long Written, long Length), AssemblyFacts> FactsOfFiles = new();
    private static readonly ConcurrentDictionary<string, AssemblyFacts> FactsOfBundled = new();
    private static readonly ConditionalWeakTable<Assembly, LocatedAssembly> InMemory = [];
    private static readonly Lazy<Dictionary<string, string>> ProgramFiles = new(ReadProgramFiles);

    /// <summary>The bytes of an assembly that is loaded.</summary>
    /// <exception cref="JoblibException">They cannot be had.</exception>
    internal static LocatedAssembly Locate(Assembly assembly)
    {
        var name = assembly.GetName().Name!;
        if (assembly.IsDynamic)
        {
            throw CannotShip(name, "it is being made at run time (Reflection.Emit) and has no file form. Compile it with Roslyn, or save it with PersistedAssemblyBuilder and load the bytes");
        }

        var context = AssemblyLoadContext.GetLoadContext(assembly) ?? AssemblyLoadContext.Default;
        var mvid = assembly.ManifestModule.ModuleVersionId;
        var path = assembly.Location;

        // A program that was built anew while it runs has another file on disk than in memory.
        if (path.Length > 0 && TryReadFile(path) is { } facts && facts.Item.Mvid == mvid)
        {
            return new LocatedAssembly(facts, new FileSource(path), path, context);
        }

        if (path.Length == 0 && FindBundled(name, assembly.GetName().CultureName, context) is { } bundled && bundled.Facts.Item.Mvid == mvid)
        {
            return bundled;
        }

        return InMemory.TryGetValue(assembly, out var known) ? known : InMemory.GetOrAdd(assembly, key => FromMemory(key, name, path, context));
    }

    /// <summary>The assembly that a reference means, not loaded if that can be avoided; null when this program has none.</summary>
    internal static LocatedAssembly? Find(AssemblyName reference, AssemblyLoadContext context)
    {
        if (LoadedIn(context, reference) is { } loaded)
        {
            return Locate(loaded);
        }

        if (context == AssemblyLoadContext.Default)
        {
            if (LoadedIn(AssemblyLoadContext.Default, reference) is { } shared)
            {
                return Locate(shared);
            }

            if (ProgramFiles.Value.TryGetValue(reference.Name!, out var path) && TryReadFile(path) is { } facts)
            {
                return new LocatedAssembly(facts, new FileSource(path), path, context);
            }

            if (FindBundled(reference.Name!, null, context) is { } bundled)
            {
                return bundled;
            }
        }

        try
        {
            return Locate(context.LoadFromAssemblyName(reference));
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException)
        {
            // The program itself runs without it: a reference that only a path not taken needs.
            return null;
        }
    }

    /// <summary>An assembly's satellite for one culture, where it lies beside the assembly; else null.</summary>
    internal static LocatedAssembly? FindSatellite(LocatedAssembly assembly, string culture)
    {
        var name = assembly.Facts.Item.Name + ".resources";
        if (assembly.Path is null)
        {
            return FindBundled(name, culture, assembly.Context);
        }

        var path = Path.Combine(Path.GetDirectoryName(assembly.Path)!, culture, name + ".dll");
        return TryReadFile(path) is { } facts ? new LocatedAssembly(facts, new FileSource(path), path, assembly.Context) : null;
    }

    internal static JoblibException CannotShip(string name, string reason) =>
        new("code-cannot-ship", $"The assembly '{name}' cannot be sent to the cluster: {reason}.");

    private static Assembly? LoadedIn(AssemblyLoadContext context, AssemblyName reference) => context.Assemblies.FirstOrDefault(
        assembly => !assembly.IsDynamic && assembly.GetName() is var name && string.Equals(name.Name, reference.Name, StringComparison.OrdinalIgnoreCase)
            && string.Equals(name.CultureName ?? "", reference.CultureName ?? "", StringComparison.OrdinalIgnoreCase));

    private static LocatedAssembly FromMemory(Assembly assembly, string name, string path, AssemblyLoadContext context)
    {
        if (LoadedImage.TryRead(assembly, out var reason) is not { } bytes)
        {
            throw CannotShip(name, path.Length > 0
                ? $"its file '{path}' is gone or was built anew while the program runs, and {reason}. Start the program again"
                : $"{reason}. Load it from a file (Assembly.LoadFrom)");
        }

        var facts = AssemblyFacts.Read(bytes);
        return facts.Item.Mvid == assembly.ManifestModule.ModuleVersionId
            ? new LocatedAssembly(facts, new MemorySource(name, bytes), null, context)
            : throw CannotShip(name, $"its file '{path}' was written over while the program runs. Start the program again");
    }

    private static AssemblyFacts? TryReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists
                ? FactsOfFiles.GetOrAdd((path, file.LastWriteTimeUtc.Ticks, file.Length), static key => AssemblyFacts.Read(new FileSource(key.Path).ReadAll()))
                : null;
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static LocatedAssembly? FindBundled(string name, string? culture, AssemblyLoadContext context)
    {
        var path = string.IsNullOrEmpty(culture) ? name + ".dll" : $"{culture}/{name}.dll";
        if (Bundle.OfThisProcess?.Find(path) is not { } entry)
        {
            return null;
        }

        var facts = FactsOfBundled.GetOrAdd(entry.RelativePath, static (_, found) => AssemblyFacts.Read(found.Read()), entry);
        return new LocatedAssembly(facts, new BundleSource(entry), null, context);
    }

    private static Dictionary<string, string> ReadProgramFiles()
    {
        var files = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") is string list)
        {
            foreach (var path in list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                files.TryAdd(Path.GetFileNameWithoutExtension(path), path);
            }
        }

        return files;
    }
}
