using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Orleans.Joblib.Tests.Infra;

/// <summary>infra/kubernetes, filled in as Flux does it.</summary>
internal static partial class Manifests
{
    private static readonly string Folder = Path.Combine(Bicep.Infra, "kubernetes");

    /// <summary>What a variable stands for where a test does not care.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Values = new Dictionary<string, string>
    {
        ["least_silos"] = "2",
        ["most_silos"] = "7",
        ["silo_cores"] = "3",
        ["silo_memory_gib"] = "10",
        ["shared_memory_gib"] = "4",
        ["drain_seconds"] = "60",
        ["grace_seconds"] = "75",
        ["silo_workers"] = "Processes",
    };

    /// <summary>The variables that the manifests name.</summary>
    internal static IReadOnlySet<string> Variables => Texts().SelectMany(text => Variable().Matches(text)).Select(match => match.Groups[1].Value).ToHashSet();

    /// <summary>Files of the folder, and those that its kustomization names.</summary>
    internal static (string[] Present, string[] Named) Files =>
        ([.. Directory.GetFiles(Folder, "*.yaml").Select(file => Path.GetFileName(file)!).Where(name => name != "kustomization.yaml").Order()],
        [.. Parse(File.ReadAllText(Path.Combine(Folder, "kustomization.yaml"))).Single()["resources"]!.AsArray().Select(name => (string)name!).Order()]);

    /// <summary>The one object of a kind and name.</summary>
    internal static JsonNode Object(string kind, string name) =>
        Texts().SelectMany(text => Parse(Variable().Replace(text, match => Values.GetValueOrDefault(match.Groups[1].Value, match.Groups[1].Value))))
            .Single(o => (string?)o["kind"] == kind && (string?)o["metadata"]!["name"] == name);

    private static IEnumerable<string> Texts() =>
        Directory.GetFiles(Folder, "*.yaml").Where(file => Path.GetFileName(file) != "kustomization.yaml").Select(File.ReadAllText);

    private static IEnumerable<JsonNode> Parse(string text)
    {
        var reader = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var writer = new SerializerBuilder().JsonCompatible().Build();
        foreach (var document in text.Split("\n---\n"))
        {
            yield return JsonNode.Parse(writer.Serialize(reader.Deserialize<object>(document)))!;
        }
    }

    [GeneratedRegex("\\$\\{([a-z_]+)\\}")]
    private static partial Regex Variable();
}
