using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Orleans.Joblib.Tests.Infra;

/// <summary>infra/bicep through the real compiler and linter, and what the template that Azure gets says.</summary>
public sealed class BicepTests
{
    [Theory]
    [InlineData("build main.bicep --stdout")]
    [InlineData("lint main.bicep")]
    [InlineData("build-params dev.bicepparam --stdout")]
    [InlineData("build-params prod.bicepparam --stdout")]
    public void Compiler_EveryFile_HasNothingToSay(string arguments)
    {
        var (code, _, faults) = Bicep.Answer(arguments);
        Assert.Equal("", faults);
        Assert.Equal(0, code);
    }

    [Fact]
    public void Linter_RulesOfTheConfiguration_AreOn()
    {
        // The last test could not fail with a linter that is off.
        var file = Path.Combine(Bicep.Infra, "bicep", $"fault-{Guid.NewGuid():N}.bicep");
        try
        {
            File.WriteAllText(file, "param unused string\n");
            var (code, _, faults) = Bicep.Run(["lint", file]);
            Assert.Contains("Error no-unused-params", faults);
            Assert.NotEqual(0, code);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Parameters_CertificateMissing_StopTheDeploymentByName()
    {
        var environment = Bicep.Environment.Where(variable => variable.Key != "JOBLIB_SILO_PEM").ToDictionary();
        var (code, _, faults) = Bicep.Run(["build-params", "prod.bicepparam", "--stdout"], environment);
        Assert.NotEqual(0, code);
        Assert.Contains("JOBLIB_SILO_PEM", faults);
    }

    [Fact]
    public void Parameters_AllOfMainAndItsModules_AreDescribed()
    {
        foreach (var (name, template) in Bicep.Modules.Append(new("main", Bicep.Main)))
        {
            Assert.True(template["metadata"]!["description"] is not null, name);
            foreach (var part in new[] { "parameters", "outputs" })
            {
                Assert.All(template[part] as JsonObject ?? [], declared => Assert.True(declared.Value!["metadata"]?["description"] is not null, $"{name}: {declared.Key}"));
            }
        }
    }

    [Fact]
    public void Parameters_Numbers_HaveLimits()
    {
        var numbers = Bicep.Main["parameters"]!.AsObject().Where(parameter => (string?)parameter.Value!["type"] == "int").ToArray();
        Assert.NotEmpty(numbers);
        Assert.All(numbers, number => Assert.True(number.Value!["minValue"] is not null && number.Value["maxValue"] is not null, number.Key));
    }

    [Fact]
    public void Parameters_Certificates_AreSecure()
    {
        foreach (var name in new[] { "siloCertificate", "clientCertificate", "authorityCertificates" })
        {
            Assert.Equal("securestring", (string?)Bicep.Main["parameters"]![name]!["type"]);
            Assert.Equal("securestring", (string?)Bicep.Modules["secrets"]["parameters"]![name]!["type"]);
        }
    }

    [Fact]
    public void Resources_AllWithAPublicSide_HaveItClosed()
    {
        string[] types =
        [
            "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Cache/redisEnterprise", "Microsoft.ContainerRegistry/registries",
        ];
        foreach (var type in types)
        {
            var resource = Assert.Single(OfType(type));
            Assert.Equal("Disabled", (string?)resource["properties"]!["publicNetworkAccess"]);
        }

        Assert.All(
            [.. OfType("Microsoft.OperationalInsights/workspaces"), .. OfType("Microsoft.Insights/components")],
            resource => Assert.Equal("Disabled", (string?)resource["properties"]!["publicNetworkAccessForIngestion"]));

        var cluster = Assert.Single(OfType("Microsoft.ContainerService/managedClusters"))["properties"]!;
        Assert.True((bool)cluster["apiServerAccessProfile"]!["enablePrivateCluster"]!);
        Assert.False((bool)cluster["apiServerAccessProfile"]!["enablePrivateClusterPublicFQDN"]!);
        Assert.True((bool)cluster["disableLocalAccounts"]!);
        Assert.All(cluster["agentPoolProfiles"]!.AsArray(), pool => Assert.False((bool)pool!["enableNodePublicIP"]!));

        // What is not known here may have a public side: whoever adds a type of resource says that it has none, or closes it above.
        Assert.Empty(Bicep.Resources.Select(resource => ((string)resource["type"]!).Split('/')[0]).Distinct().Except(
        [
            "Microsoft.Network", "Microsoft.ManagedIdentity", "Microsoft.Authorization", "Microsoft.OperationalInsights", "Microsoft.Insights", "Microsoft.ContainerRegistry",
            "Microsoft.Cache", "Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.ContainerService", "Microsoft.KubernetesConfiguration", "Microsoft.Compute",
        ]));
    }

    [Fact]
    public void Network_PublicAddress_OnlyOfTheWayOut()
    {
        // A public address takes connections only through what it is given to: it is given to the NAT gateway, which lets none in.
        Assert.Equal("egressAddress", Assert.Single(Bicep.Modules["network"]["resources"]!.AsObject(), resource => (string?)resource.Value!["type"] == "Microsoft.Network/publicIPAddresses").Key);
        Assert.Single(OfType("Microsoft.Network/publicIPAddresses"));
        var users = Bicep.Resources.Where(resource => resource.ToJsonString(Plain).Contains("Microsoft.Network/publicIPAddresses'", StringComparison.Ordinal)).ToArray();
        Assert.Equal("Microsoft.Network/natGateways", (string?)Assert.Single(users)["type"]);
        Assert.DoesNotContain(Bicep.Resources, resource => (string?)resource["type"] is "Microsoft.Network/loadBalancers" or "Microsoft.Network/applicationGateways" or "Microsoft.Network/publicIPPrefixes");
    }

    [Fact]
    public void Network_EverySubnet_HasRulesAndNoWayOutOfItsOwn()
    {
        var subnets = Bicep.Resource("network", "network")["properties"]!["subnets"]!.AsArray();
        Assert.All(subnets, subnet =>
        {
            Assert.NotNull(subnet!["properties"]!["networkSecurityGroup"]);
            Assert.False((bool)subnet["properties"]!["defaultOutboundAccess"]!);
        });
        var rules = OfType("Microsoft.Network/networkSecurityGroups").SelectMany(group => group["properties"]!["securityRules"]!.AsArray()).Select(rule => rule!["properties"]!).ToArray();
        Assert.NotEmpty(rules);
        Assert.All(
            rules.Where(rule => (string?)rule["access"] == "Allow" && (string?)rule["direction"] == "Inbound"),
            rule => Assert.False((string?)rule["sourceAddressPrefix"] is "*" or "Internet" or "0.0.0.0/0"));
    }

    [Theory]
    [InlineData("registryEndpoint", "registry", "registry")]
    [InlineData("redisEndpoint", "redisEnterprise", "redis")]
    [InlineData("storageEndpoint", "blob", "blob")]
    [InlineData("vaultEndpoint", "vault", "vault")]
    [InlineData("telemetryEndpoint", "azuremonitor", null)]
    public void Endpoint_EachService_IsInTheNetworkUnderItsName(string module, string group, string? zone)
    {
        var parameters = Bicep.Main["resources"]![module]!["properties"]!["parameters"]!;
        Assert.Equal(group, (string?)parameters["groupId"]!["value"]);
        Assert.Contains("endpointSubnetId", (string?)parameters["subnetId"]!["value"]);
        Assert.Contains(zone is null ? "variables('telemetryZones')" : $"variables('zoneNames').{zone}", parameters["zoneNames"]!["value"]!.ToJsonString(Plain));
        Assert.Contains(module, Bicep.Main["resources"]!["silos"]!["dependsOn"]!.AsArray().Select(name => (string?)name));
    }

    [Fact]
    public void Storage_NoKeysAndEmptiedByARule()
    {
        var account = Bicep.Resource("storage", "account")["properties"]!;
        Assert.False((bool)account["allowSharedKeyAccess"]!);
        Assert.False((bool)account["allowBlobPublicAccess"]!);
        Assert.Equal("Deny", (string?)account["networkAcls"]!["defaultAction"]);
        var rule = Assert.Single(Assert.Single(OfType("Microsoft.Storage/storageAccounts/managementPolicies"))["properties"]!["policy"]!["rules"]!.AsArray())!;
        Assert.True((bool)rule["enabled"]!);
        Assert.Equal("joblib/", (string?)rule["definition"]!["filters"]!["prefixMatch"]![0]);
        Assert.Contains("keepDays", (string?)rule["definition"]!["actions"]!["baseBlob"]!["delete"]!["daysAfterModificationGreaterThan"]);
        Assert.EndsWith("'joblib')]", (string?)Bicep.Resource("storage", "account::blobs::container")["name"]);
    }

    [Fact]
    public void Identities_SilosAndNodes_HaveWhatTheyNeedAndNoMore()
    {
        Assert.Equal(["[variables('identityNames').silos]", "[variables('identityNames').clients]"], List("storage", "identities"));
        Assert.Equal(
            ["silosIdentity cluster", "silosIdentity silo-pem", "silosIdentity ca-pem", "clientsIdentity cluster", "clientsIdentity client-pem", "clientsIdentity ca-pem"],
            Bicep.Modules["secrets"]["variables"]!["grants"]!.AsArray().Select(grant => $"{((string?)grant!["identity"])!.Split('\'')[1]} {grant["secret"]}"));
        Assert.Equal("[variables('identityNames').nodes]", (string?)Bicep.Main["resources"]!["registry"]!["properties"]!["parameters"]!["nodesIdentity"]!["value"]);
        Assert.Equal("ba92f5b4-2d11-453d-a403-e96b0029c9fe", (string?)Bicep.Modules["storage"]["variables"]!["blobDataContributor"]);
        Assert.Equal("4633458b-17de-408a-b874-0445c86b69e6", (string?)Bicep.Modules["secrets"]["variables"]!["secretsUser"]);
        Assert.Equal("7f951dda-4ed3-4680-a7ca-43fe172d538d", (string?)Bicep.Modules["registry"]["variables"]!["acrPull"]);
        Assert.False((bool)Bicep.Resource("registry", "registry")["properties"]!["adminUserEnabled"]!);

        // Roles are for a resource or less, never for the group.
        Assert.All(OfType("Microsoft.Authorization/roleAssignments"), assignment => Assert.NotNull(assignment["scope"]));

        static string?[] List(string module, string parameter) =>
            [.. Bicep.Main["resources"]![module]!["properties"]!["parameters"]![parameter]!["value"]!.AsArray().Select(value => (string?)value)];
    }

    [Fact]
    public void Alerts_EachThatOperationsNames_IsARuleOverTheWorkspace()
    {
        Assert.Equal(["errors", "failed-runs", "memory", "no-silo", "queue", "silo-restarts"], Rules.Select(rule => (string?)rule["name"]).Order());
        var operations = File.ReadAllText(Path.Combine(Bicep.Infra, "..", "docs", "operations.md"));
        Assert.All(Rules, rule => Assert.Contains($"| {rule["name"]} | ", operations, StringComparison.Ordinal));
        var alert = Assert.Single(OfType("Microsoft.Insights/scheduledQueryRules"));
        Assert.Equal("[length(variables('rules'))]", (string?)alert["copy"]!["count"]);
        Assert.True((bool)alert["properties"]!["enabled"]!);
        Assert.Equal("[parameters('logsId')]", (string?)Assert.Single(alert["properties"]!["scopes"]!.AsArray()));
        Assert.Contains("outputs.logsId", (string?)Bicep.Main["resources"]!["alerts"]!["properties"]!["parameters"]!["logsId"]!["value"]);
        var criterion = Assert.Single(alert["properties"]!["criteria"]!["allOf"]!.AsArray())!;
        Assert.Contains("'rules')[copyIndex()].query", (string?)criterion["query"]);
        Assert.Contains("'rules')[copyIndex()].threshold", (string?)criterion["threshold"]);
    }

    [Fact]
    public void Alerts_WhatTheyAskFor_IsWhatSilosTell()
    {
        var told = new HashSet<string>();
        using (var listener = new System.Diagnostics.Metrics.MeterListener { InstrumentPublished = (instrument, _) => told.Add(instrument.Name) })
        {
            // Gauges are made with the first silo.
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(SiloGauges).TypeHandle);
            listener.Start();
        }

        var queries = Rules.Select(rule => (string)rule["query"]!).ToArray();
        var asked = queries.SelectMany(query => Regex.Matches(query, "\"(joblib\\.[a-z_.]+)\"")).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Superset(asked, told);
        Assert.Superset(new HashSet<string> { "joblib.slots", "joblib.slots.in_use", "joblib.batches.queued", "joblib.runs.ended" }, asked);
        Assert.All(queries, query => Assert.Matches("^\\[?.*App(Metrics|Traces) \\| .* Value = ", query));

        // A restart is counted by the line that a silo logs when it is ready, and runs by what they came to.
        var line = Regex.Match(File.ReadAllText(Path.Combine(Bicep.Infra, "..", "src", "Silo", "Host", "HostLog.cs")), "\"([^\"]*)\"\\)]\\s*internal static partial void SiloReady").Groups[1].Value;
        var pattern = Regex.Match(queries.Single(query => query.Contains("matches regex", StringComparison.Ordinal)), "matches regex \"([^\"]*)\"").Groups[1].Value;
        Assert.Matches(pattern, line.Replace("{Silo}", "10.0.0.1:11111@5"));
        Assert.All(new[] { RunState.Failed, RunState.Lost }, state => Assert.Contains(queries, query => query.Contains($"\"{state.ToString().ToLowerInvariant()}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Alerts_Mails_GoToTheAddressesOfTheDeployment()
    {
        Assert.Equal("[not(empty(parameters('emails')))]", (string?)Bicep.Resource("alerts", "mails")["condition"]);
        Assert.Contains("parameters('groupIds')", (string?)Assert.Single(OfType("Microsoft.Insights/scheduledQueryRules"))["properties"]!["actions"]!["actionGroups"]);
        var (_, output, _) = Bicep.Answer("build-params dev.bicepparam --stdout");
        var parameters = JsonNode.Parse((string)JsonNode.Parse(output)!["parametersJson"]!)!["parameters"]!;
        Assert.Equal(["a@b.example", "c@d.example"], parameters["alertEmails"]!["value"]!.AsArray().Select(address => (string?)address));
    }

    [Fact]
    public void Redis_OnlyByTlsAndNothingIsEvicted()
    {
        var database = Assert.Single(OfType("Microsoft.Cache/redisEnterprise/databases"))["properties"]!;
        Assert.Equal("Encrypted", (string?)database["clientProtocol"]);
        Assert.Equal("NoEviction", (string?)database["evictionPolicy"]);
        Assert.Equal("EnterpriseCluster", (string?)database["clusteringPolicy"]);
    }

    [Fact]
    public void Cluster_PodsHaveAddressesOfTheNetwork()
    {
        var cluster = Bicep.Resource("cluster", "cluster")["properties"]!;
        Assert.Equal("azure", (string?)cluster["networkProfile"]!["networkPlugin"]);
        Assert.Null(cluster["networkProfile"]!["networkPluginMode"]);
        Assert.All(cluster["agentPoolProfiles"]!.AsArray(), pool => Assert.Equal("[parameters('podSubnetId')]", (string?)pool!["podSubnetID"]));
    }

    [Fact]
    public void Cluster_MachinesThatGo_WaitForTheDrain()
    {
        Assert.Equal("[add(parameters('drainSeconds'), 15)]", (string?)Bicep.Main["variables"]!["graceSeconds"]);
        Assert.Equal("[variables('graceSeconds')]", (string?)Bicep.Main["resources"]!["cluster"]!["properties"]!["parameters"]!["graceSeconds"]!["value"]);
        var cluster = Bicep.Resource("cluster", "cluster")["properties"]!;
        Assert.Equal("[string(parameters('graceSeconds'))]", (string?)cluster["autoScalerProfile"]!["max-graceful-termination-sec"]);
        var pool = cluster["agentPoolProfiles"]!.AsArray().Single(pool => (string?)pool!["name"] == "silos")!;
        Assert.True((bool)pool["enableAutoScaling"]!);
        Assert.Equal("[parameters('leastMachines')]", (string?)pool["minCount"]);
        Assert.Equal("[parameters('mostMachines')]", (string?)pool["maxCount"]);
        Assert.True((bool)cluster["workloadAutoScalerProfile"]!["keda"]!["enabled"]!);
    }

    [Fact]
    public void Outputs_ClientsString_IsOneThatClientsTake()
    {
        var format = (string?)Bicep.Main["outputs"]!["clientConnectionString"]!["value"];
        var filled = Regex.Match(format!, "^\\[format\\('([^']*)'").Groups[1].Value.Replace("{0}", "grid.redis.azure.net").Replace("{1}", "10000").Replace("{2}", "grid");
        var address = ClusterAddress.Parse(filled);
        Assert.True(address.IsRedis && address.RedisTls);
        Assert.Equal("grid", address.Cluster);

        // What goes into the vault, with a key as Azure makes them.
        var secret = (string?)Bicep.Secret("listKeys(")["properties"]!["value"];
        var text = Regex.Match(secret!, "^\\[format\\('([^']*)', uriComponent\\(listKeys\\(").Groups[1].Value;
        var key = "aB+c/d=";
        var whole = ClusterAddress.Parse(text.Replace("{0}", Uri.EscapeDataString(key)).Replace("{1}", "grid.redis.azure.net").Replace("{2}", "10000").Replace("{3}", "grid"));
        Assert.Equal(key, whole.Password);
        Assert.Equal("grid", whole.Cluster);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonNode[] Rules => [.. Bicep.Modules["alerts"]["variables"]!["rules"]!.AsArray().Select(rule => rule!)];

    private static JsonObject[] OfType(string type) => [.. Bicep.Resources.Where(resource => (string?)resource["type"] == type).DistinctBy(resource => resource.ToJsonString())];
}
