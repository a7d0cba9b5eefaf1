using System.Text.Json.Nodes;
using Orleans.Joblib.Silo;
using Xunit;

namespace Orleans.Joblib.Tests.Infra;

/// <summary>Every silo that infra starts has Redis, storage, identity and certificate, and goes only after it has drained.</summary>
public sealed class ManifestTests
{
    // Comes with large arrays between hosts.
    private const string Blobs = "JOBLIB_BLOBS";

    private static JsonNode Pod => Manifests.Object("Deployment", "silo")["spec"]!["template"]!;

    private static JsonNode Container => Assert.Single(Pod["spec"]!["containers"]!.AsArray())!;

    private static JsonObject Given => Bicep.Resource("silos", "silos")["properties"]!["kustomizations"]!["silos"]!["postBuild"]!["substitute"]!.AsObject();

    [Fact]
    public void Variables_AreThoseThatTheTemplateGives() =>
        Assert.Equal(Given.Select(value => value.Key).Order(), Manifests.Variables.Order());

    [Fact]
    public void Kustomization_NamesEveryFile() => Assert.Equal(Manifests.Files.Present, Manifests.Files.Named);

    [Fact]
    public void Variables_WhatTheTemplateGives_IsWhatItMade()
    {
        var values = Bicep.Main["resources"]!["silos"]!["properties"]!["parameters"]!["values"]!["value"]!;
        Assert.Equal("[reference('storage').outputs.containerUrl.value]", (string?)values["container"]);
        Assert.Equal("[variables('names').vault]", (string?)values["vault"]);
        Assert.Equal("[variables('names').vault]", (string?)Bicep.Main["resources"]!["secrets"]!["properties"]!["parameters"]!["vaultName"]!["value"]);
        Assert.Contains("reference('registry').outputs.loginServer", (string?)values["image"]);
        Assert.Equal("[variables('graceSeconds')]", (string?)values["graceSeconds"]);
        Assert.Equal("[variables('identityNames').silos]", (string?)Bicep.Main["resources"]!["silos"]!["properties"]!["parameters"]!["silosIdentity"]!["value"]);
    }

    [Fact]
    public void Silo_Settings_AreSettingsOfTheProgram()
    {
        // The last is OpenTelemetry's own.
        var known = SiloSetting.All.Select(setting => setting.Variable).Append(Blobs).Append("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE").ToHashSet();
        Assert.All(Container["env"]!.AsArray(), variable => Assert.Contains((string)variable!["name"]!, known));
    }

    [Fact]
    public void Silo_HasRedisFromTheVault()
    {
        var source = Setting("JOBLIB_CLUSTER")["valueFrom"]!["secretKeyRef"]!;
        var secrets = Manifests.Object("SecretProviderClass", "vault")["spec"]!;
        var synced = Assert.Single(secrets["secretObjects"]!.AsArray())!;
        Assert.Equal((string?)synced["secretName"], (string?)source["name"]);
        var data = Assert.Single(synced["data"]!.AsArray())!;
        Assert.Equal((string?)data["key"], (string?)source["key"]);
        Assert.Contains($"objectName: {(string?)data["objectName"]}\n", (string?)secrets["parameters"]!["objects"] + "\n");
        Assert.Equal("cluster", SecretName("listKeys("));
        Assert.Equal("vault", (string?)secrets["parameters"]!["keyvaultName"]);
    }

    [Fact]
    public void Silo_HasItsCertificateAndTheAuthorities()
    {
        var objects = (string?)Manifests.Object("SecretProviderClass", "vault")["spec"]!["parameters"]!["objects"];
        var folder = (string?)Mount("secrets")["mountPath"];
        Assert.Equal("vault", (string?)Volume("secrets")["csi"]!["volumeAttributes"]!["secretProviderClass"]);
        foreach (var (setting, file, secret) in new[] { ("JOBLIB_TLS_CERTIFICATE", "silo.pem", SecretName("parameters('siloCertificate')")), ("JOBLIB_TLS_CA", "ca.pem", SecretName("parameters('authorityCertificates')")) })
        {
            Assert.Equal($"{folder}/{file}", (string?)Setting(setting)["value"]);
            Assert.Matches($"objectName: {secret}\\s+objectType: secret\\s+objectAlias: {file}", objects);
        }
    }

    [Fact]
    public void Silo_HasItsIdentityAndStorage()
    {
        var account = Manifests.Object("ServiceAccount", "silo")["metadata"]!;
        Assert.Equal("silo_identity", (string?)account["annotations"]!["azure.workload.identity/client-id"]);
        Assert.Equal("[reference('identity').clientId]", (string?)Given["silo_identity"]);
        Assert.Equal("silo", (string?)Pod["spec"]!["serviceAccountName"]);
        Assert.Equal("true", (string?)Pod["metadata"]!["labels"]!["azure.workload.identity/use"]);
        var federation = Bicep.Resource("cluster", "silos::federation")["properties"]!;
        Assert.Equal($"system:serviceaccount:{(string?)account["namespace"]}:silo", (string?)federation["subject"]);
        Assert.Equal("blob_container", (string?)Setting(Blobs)["value"]);
    }

    [Fact]
    public void Silo_SharedMemory_IsMemoryOfItsOwnSize()
    {
        Assert.Equal("/dev/shm", (string?)Mount("shared-memory")["mountPath"]);
        Assert.Equal("Memory", (string?)Volume("shared-memory")["emptyDir"]!["medium"]);
        Assert.Equal("4Gi", (string?)Volume("shared-memory")["emptyDir"]!["sizeLimit"]);
        Assert.Equal(Container["resources"]!["limits"]!.ToJsonString(), Container["resources"]!["requests"]!.ToJsonString());
    }

    [Fact]
    public void Silo_GoesAfterItHasDrained()
    {
        Assert.Equal(75, (int)Pod["spec"]!["terminationGracePeriodSeconds"]!);
        Assert.Equal("60", (string?)Setting("JOBLIB_DRAIN_TIMEOUT")["value"]);
        Assert.Equal(1, (int)Manifests.Object("PodDisruptionBudget", "silo")["spec"]!["maxUnavailable"]!);
    }

    [Fact]
    public void Silo_HasNoRightsThatItDoesNotNeed()
    {
        Assert.True((bool)Pod["spec"]!["securityContext"]!["runAsNonRoot"]!);
        Assert.True((bool)Container["securityContext"]!["readOnlyRootFilesystem"]!);
        Assert.False((bool)Container["securityContext"]!["allowPrivilegeEscalation"]!);
        Assert.Equal("restricted", (string?)Manifests.Object("Namespace", "joblib")["metadata"]!["labels"]!["pod-security.kubernetes.io/enforce"]);
    }

    [Fact]
    public void Autoscaler_AsksASiloForTheLoad()
    {
        var scale = Manifests.Object("ScaledObject", "silo")["spec"]!;
        Assert.Equal(2, (int)scale["minReplicaCount"]!);
        Assert.Equal(7, (int)scale["maxReplicaCount"]!);
        var trigger = Assert.Single(scale["triggers"]!.AsArray())!;
        Assert.Equal("Value", (string?)trigger["metricType"]);
        var url = new Uri((string)trigger["metadata"]!["url"]!);
        var service = Manifests.Object("Service", "silo");
        Assert.Equal("/load", url.AbsolutePath);
        Assert.Equal($"{(string?)service["metadata"]!["name"]}.{(string?)service["metadata"]!["namespace"]}.svc.cluster.local", url.Host);
        Assert.Equal((int)service["spec"]!["ports"]![0]!["port"]!, url.Port);

        // tests/Hosting/ClusterLoadTests asks a real silo for it.
        Assert.Equal("batchesPerSlot", (string?)trigger["metadata"]!["valueLocation"]);
    }

    [Fact]
    public void Unit_SettingsAndTimes_AreThoseOfTheProgram()
    {
        var unit = File.ReadAllLines(Path.Combine(Bicep.Infra, "systemd", "joblib-silo.service"));
        var given = File.ReadAllLines(Path.Combine(Bicep.Infra, "systemd", "silo.env")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var known = SiloSetting.All.Select(setting => setting.Variable).ToHashSet();
        var ofUnit = unit.Single(line => line.StartsWith("Environment=", StringComparison.Ordinal))["Environment=".Length..].Split(' ').Select(pair => pair.Split('=')[0]);
        Assert.All([.. given.Keys, .. ofUnit], variable => Assert.Contains(variable, known));
        Assert.True(ClusterAddress.Parse(given["JOBLIB_CLUSTER"]).IsRedis);
        Assert.Contains($"TimeoutStopSec={int.Parse(given["JOBLIB_DRAIN_TIMEOUT"]) + 15}", unit);
        Assert.Contains("KillMode=mixed", unit);
    }

    private static JsonNode Setting(string name) => Container["env"]!.AsArray().Single(variable => (string?)variable!["name"] == name)!;

    private static JsonNode Mount(string name) => Container["volumeMounts"]!.AsArray().Single(mount => (string?)mount!["name"] == name)!;

    private static JsonNode Volume(string name) => Pod["spec"]!["volumes"]!.AsArray().Single(volume => (string?)volume!["name"] == name)!;

    /// <summary>The name in the vault of what has this value.</summary>
    private static string SecretName(string value) => ((string)Bicep.Secret(value)["name"]!).Split('\'')[^2];
}
