using Microsoft.Extensions.DependencyInjection;
using Orleans.Joblib.Silo;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

/// <summary>A cluster of two silos, each with a code cache of its own, as on two hosts. Programs compiled for one test are new to it for every other.</summary>
public sealed class TwoCaches : IAsyncLifetime
{
    private LocalCluster? _cluster;

    internal List<string> Roots { get; } = [];

    internal LocalCluster Cluster => _cluster!;

    internal SiloAddress Silo(int number) => Cluster.Services[number].GetRequiredService<ILocalSiloDetails>().SiloAddress;

    internal CodeContexts Contexts(int number) => Cluster.Services[number].GetRequiredService<CodeContexts>();

    public async ValueTask InitializeAsync() => _cluster = await LocalCluster.StartAsync(silos: 2, configureSilo: silo =>
    {
        var root = Path.Combine(Directory.CreateTempSubdirectory("joblib-cache-").FullName, "code");
        Roots.Add(root);
        silo.Services.Configure<CodeCacheOptions>(options => options.Directory = root);
    });

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Roots.ForEach(root => Directory.Delete(Path.GetDirectoryName(root)!, recursive: true));
    }
}
