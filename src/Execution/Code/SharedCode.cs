using System.Collections.Frozen;
using System.Reflection;

namespace Orleans.Joblib;

/// <summary>What every silo has, and which therefore is never sent: the framework (Microsoft.NETCore.App), Orleans' own assemblies and Orleans.Joblib's.</summary>
/// <remarks>
/// Decided by name, not by place: a self-contained or single-file program has the framework among its own files. What Orleans and Orleans.Joblib themselves refer
/// to is shared with them: their members take its types, which must be the same types for whoever calls them. ASP.NET and all other packages are sent: a silo may
/// have none, or others.
/// </remarks>
internal static class SharedCode
{
    private static readonly string[] Own =
    [
        "Orleans.Joblib", "Orleans.Joblib.Abstractions", "Orleans.Joblib.Execution", "Orleans.Joblib.Silo", "Orleans.Joblib.Tls", "Orleans.Joblib.Worker",
        "Orleans.Core", "Orleans.Core.Abstractions", "Orleans.Runtime", "Orleans.Serialization", "Orleans.Serialization.Abstractions",
        "Orleans.Persistence.Memory", "Orleans.Clustering.Redis",
    ];

    private static readonly FrozenSet<string> Names = ReadNames();

    // When the first call is encoded, whatever of the two has a part in it is loaded.
    private static volatile FrozenSet<string>? _adopted;

    private static readonly Lazy<FrozenSet<string>> Found = new(() => AppDomain.CurrentDomain.GetAssemblies()
        .Where(assembly => Own.Contains(assembly.GetName().Name, StringComparer.Ordinal))
        .SelectMany(assembly => assembly.GetReferencedAssemblies())
        .Select(reference => reference.Name!)
        .ToFrozenSet(StringComparer.Ordinal));

    private static FrozenSet<string> References => _adopted ?? Found.Value;

    /// <summary>What Orleans and Orleans.Joblib refer to here, for a worker process to <see cref="Adopt"/>.</summary>
    internal static IReadOnlyCollection<string> ReferencedNames => References;

    /// <summary>Has a worker process, which may have loaded less, count as shared what its program does.</summary>
    internal static void Adopt(IEnumerable<string> names) => _adopted = names.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether every silo has the assembly.</summary>
    internal static bool IsShared(Assembly assembly)
    {
        if (assembly.IsDynamic)
        {
            return false;
        }

        var name = assembly.GetName();
        return IsShared(name.Name!, name.Version);
    }

    /// <summary>Whether every silo has an assembly of that name in that version.</summary>
    internal static bool IsShared(string name, Version? version) =>
        (Names.Contains(name) || References.Contains(name) || name.StartsWith("System.Private.", StringComparison.Ordinal)) && !IsNewerPackage(name, version);

    // A package may bring a newer version of an assembly that the framework has too, as System.Text.Json 11 on .NET 10. The framework's own are numbered as it is,
    // or lower; those of Visual Basic are not, and no package has them.
    private static bool IsNewerPackage(string name, Version? version) =>
        version is not null && version.Major > Environment.Version.Major && name.StartsWith("System.", StringComparison.Ordinal);

    private static FrozenSet<string> ReadNames()
    {
        // Written by the build from the targeting pack.
        using var stream = typeof(SharedCode).Assembly.GetManifestResourceStream("framework-assemblies.txt")!;
        using var reader = new StreamReader(stream);
        return FrozenSet.ToFrozenSet(
            [
                .. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                .. Own,
            ],
            StringComparer.Ordinal);
    }
}
