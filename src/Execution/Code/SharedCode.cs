using System.Reflection;

namespace Orleans.Joblib;

/// <summary>What every silo has, and which therefore is never sent: the framework, Orleans' own assemblies and Orleans.Joblib's.</summary>
internal static class SharedCode
{
    private static readonly string FrameworkFolder = Path.GetDirectoryName(typeof(object).Assembly.Location) ?? "";
    private static readonly HashSet<string> Own = ["Orleans.Joblib", "Orleans.Joblib.Abstractions", "Orleans.Joblib.Execution", "Orleans.Joblib.Silo"];

    internal static bool IsShared(Assembly assembly)
    {
        if (assembly.IsDynamic)
        {
            return false;
        }

        var name = assembly.GetName().Name!;
        return Own.Contains(name)
            || (name.StartsWith("Orleans.", StringComparison.Ordinal) && !name.StartsWith("Orleans.Joblib", StringComparison.Ordinal))
            || name == "System.Private.CoreLib"
            || (assembly.Location is { Length: > 0 } location && Path.GetDirectoryName(location) == FrameworkFolder);
    }
}
