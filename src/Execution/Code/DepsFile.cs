using System.Text.Json;

namespace Orleans.Joblib;

/// <summary>A program's deps.json, read for one thing: which native libraries come in one package, and so may need each other.</summary>
internal static class DepsFile
{
    /// <summary>Each package's native files, by file name.</summary>
    internal static List<HashSet<string>> NativeFilesByPackage(ReadOnlyMemory<byte> json)
    {
        var packages = new List<HashSet<string>>();
        try
        {
            using var document = JsonDocument.Parse(json);
            if (!document.RootElement.TryGetProperty("targets", out var targets))
            {
                return packages;
            }

            foreach (var package in targets.EnumerateObject().SelectMany(target => target.Value.EnumerateObject()))
            {
                HashSet<string> files = [.. NativeFilesOf(package.Value)];
                if (files.Count > 0)
                {
                    packages.Add(files);
                }
            }
        }
        catch (JsonException)
        {
            // A file that the host itself could not have read: nothing to learn from it.
        }

        return packages;
    }

    private static IEnumerable<string> NativeFilesOf(JsonElement package)
    {
        if (package.TryGetProperty("native", out var native))
        {
            foreach (var file in native.EnumerateObject())
            {
                yield return Path.GetFileName(file.Name);
            }
        }

        if (package.TryGetProperty("runtimeTargets", out var targets))
        {
            foreach (var file in targets.EnumerateObject().Where(file => file.Value.TryGetProperty("assetType", out var type) && type.ValueEquals("native")))
            {
                yield return Path.GetFileName(file.Name);
            }
        }
    }
}
