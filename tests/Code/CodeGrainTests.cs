using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Joblib.Silo;
using Orleans.Joblib.Tests.Remote;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

public sealed class CodeGrainTests(TwoCaches caches) : IClassFixture<TwoCaches>, IDisposable
{
    private readonly Compiled _program = new();

    private LocalCluster Cluster => caches.Cluster;

    public void Dispose() => _program.Dispose();

    [Fact]
    public async Task Ensure_NewProgram_IsSentToEachSiloOnce()
    {
        var code = Program();
        var bytes = code.Manifest.Items.Sum(item => item.Length);
        var shipper = new CodeShipper(Cluster.Client);
        for (var i = 0; i < Cluster.SiloCount; i++)
        {
            await shipper.EnsureAsync(Silo(i), code);
            Assert.Equal((i + 1) * bytes, shipper.BytesSent);
            using var lease = Contexts(i).TryAcquire(code.Manifest.Id);
            Assert.NotNull(lease);
        }

        await shipper.EnsureAsync(Silo(0), code);
        Assert.Equal(2 * bytes, shipper.BytesSent);
    }

    [Fact]
    public async Task Ensure_SecondRunOfAProgram_SendsNoBytes()
    {
        var code = Program();
        await new CodeShipper(Cluster.Client).EnsureAsync(Silo(0), code);
        var second = new CodeShipper(Cluster.Client);
        await second.EnsureAsync(Silo(0), code);
        Assert.Equal(0, second.BytesSent);
    }

    [Fact]
    public async Task Ensure_SeveralClientsAtOnce_SendEachPieceOnce()
    {
        var code = Program(largeBytes: 6 << 20);
        CodeShipper[] shippers = [.. Enumerable.Range(0, 4).Select(_ => new CodeShipper(Cluster.Client))];
        await Task.WhenAll(shippers.Select(shipper => shipper.EnsureAsync(Silo(1), code)));
        Assert.Equal(code.Manifest.Items.Sum(item => item.Length), shippers.Sum(shipper => shipper.BytesSent));
        using var lease = Contexts(1).TryAcquire(code.Manifest.Id);
        Assert.NotNull(lease);
    }

    [Fact]
    public async Task Ensure_CachedPieceIsGoneAndTheCodeForgotten_SendsThatPieceAgain()
    {
        var code = Program();
        var shipper = new CodeShipper(Cluster.Client);
        await shipper.EnsureAsync(Silo(1), code);
        var sent = shipper.BytesSent;
        File.WriteAllText(Path.Combine(caches.Roots[1], "blobs", code.Manifest.Items[1].Hash.ToString()), "damaged");
        using (var lease = Contexts(1).TryAcquire(code.Manifest.Id)!)
        {
            Assert.Throws<JoblibException>(() => lease.Resolver.Resolve(code.Manifest.Items[1].Name, code.Manifest.Items[1].Mvid));
        }

        Assert.Null(Contexts(1).TryAcquire(code.Manifest.Id));
        shipper.Forget(Silo(1), code.Manifest.Id);
        await shipper.EnsureAsync(Silo(1), code);
        Assert.Equal(sent + code.Manifest.Items[1].Length, shipper.BytesSent);
        using var again = Contexts(1).TryAcquire(code.Manifest.Id)!;
        Assert.NotNull(again.Resolver.Resolve(code.Manifest.Items[1].Name, code.Manifest.Items[1].Mvid));
    }

    [Theory]
    [InlineData(nameof(ICodeGrain.MissingAsync), false)]
    [InlineData(nameof(ICodeGrain.MissingAsync), true)]
    [InlineData(nameof(ICodeGrain.PutAsync), false)]
    [InlineData(nameof(ICodeGrain.PutAsync), true)]
    public async Task Ensure_MessageIsLost_IsSentAgain(string method, bool arrives)
    {
        using var loss = new LostMessages(typeof(ICodeGrain), method, arrives);
        var root = Directory.CreateTempSubdirectory("joblib-cache-").FullName;
        await using (var cluster = await LocalCluster.StartAsync(configureSilo: silo =>
        {
            silo.AddIncomingGrainCallFilter(loss);
            silo.Services.Configure<CodeCacheOptions>(options => options.Directory = root);
        }))
        {
            var code = Program();
            var silo = cluster.Services[0].GetRequiredService<ILocalSiloDetails>().SiloAddress;
            await new CodeShipper(cluster.Client).EnsureAsync(silo, code).WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            Assert.Equal(1, loss.Lost);
            loss.Dispose();
            using var lease = cluster.Services[0].GetRequiredService<CodeContexts>().TryAcquire(code.Manifest.Id);
            Assert.NotNull(lease);
        }

        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task Ensure_SiloRefuses_TheErrorArrivesWithItsHeading()
    {
        _program.Compile("Future", "[assembly: System.Runtime.Versioning.TargetFramework(\".NETCoreApp,Version=v99.0\")] public static class A;");
        var error = await Assert.ThrowsAsync<JoblibException>(() => new CodeShipper(Cluster.Client).EnsureAsync(Silo(1), SiloCode.SnapshotOf(_program.Load("Future"))));
        Assert.Contains("'Future'", error.Message);
        Assert.EndsWith("#code-framework", error.HelpLink);
    }

    [Fact]
    public async Task Ensure_FileGoneSinceItWasHashed_NamesIt()
    {
        var code = Program();
        File.Delete(_program.PathOf("Top"));
        var error = await Assert.ThrowsAsync<JoblibException>(() => new CodeShipper(Cluster.Client).EnsureAsync(Silo(0), code));
        Assert.Contains(_program.PathOf("Top"), error.Message);
    }

    [Fact]
    public async Task Ensure_FileChangedSinceItWasHashed_IsRefused()
    {
        var code = Program();
        var bytes = File.ReadAllBytes(_program.PathOf("Top"));
        bytes[^600] ^= 1;
        File.WriteAllBytes(_program.PathOf("Top"), bytes);
        var error = await Assert.ThrowsAsync<JoblibException>(() => new CodeShipper(Cluster.Client).EnsureAsync(Silo(0), code));
        Assert.EndsWith("#code-changed", error.HelpLink);
        Assert.Null(Contexts(0).TryAcquire(code.Manifest.Id));
    }

    private SiloAddress Silo(int number) => caches.Silo(number);

    private CodeContexts Contexts(int number) => caches.Contexts(number);

    private CodeSnapshot Program(int largeBytes = 0)
    {
        var text = new string('x', largeBytes / 2);
        _program.Compile("Lower", $"public static class B {{ public static string F() => \"{text}\"; }}");
        _program.Compile("Top", "public static class A { public static string F() => B.F(); }", "Lower");
        return SiloCode.SnapshotOf(_program.Load("Top"));
    }
}
