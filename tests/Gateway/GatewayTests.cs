using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Orleans.Hosting;
using Orleans.Joblib.Gateway.Wire;
using Orleans.Joblib.Silo;
using Xunit;
using Client = Orleans.Joblib.Gateway.Wire.Gateway.GatewayClient;

namespace Orleans.Joblib.Tests.Gateway;

/// <summary>What the gateway says to clients that are wrong. What it does for those that are right, Python's own tests say (python/tests).</summary>
public sealed class GatewayTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetCluster_CountsSlotsOfSilosThatHaveTheRuntime()
    {
        await using var with = await LocalCluster.StartAsync(slotsPerSilo: 3, configureSilo: WithPython, cancellationToken: Cancellation);
        await using var without = await LocalCluster.StartAsync(slotsPerSilo: 2, cancellationToken: Cancellation);
        Assert.Equal((3, 3), await CountAsync(with));
        Assert.Equal((0, 2), await CountAsync(without));

        static async Task<(int Slots, int AllSlots)> CountAsync(LocalCluster cluster)
        {
            await using var gateway = await JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = 0 }, cancellationToken: Cancellation);
            using var channel = GrpcChannel.ForAddress(gateway.Address);
            var reply = await new Client(channel).GetClusterAsync(new ClusterRequest { Runtime = "python" }, cancellationToken: Cancellation);
            return (reply.Slots, reply.AllSlots);
        }
    }

    [Theory]
    [InlineData("runtime", StatusCode.InvalidArgument, "The runtime 'cobol' is not known. Use 'python'.", null)]
    [InlineData("protocol", StatusCode.FailedPrecondition, "speaks version 1 of the gateway's protocol, and the client 99", "protocol-version")]
    [InlineData("slots", StatusCode.InvalidArgument, "slots must not be '0'. Use 1 or more, or -1 for all.", null)]
    [InlineData("threads", StatusCode.InvalidArgument, "inner_max_num_threads must not be '-1'", null)]
    [InlineData("mode", StatusCode.InvalidArgument, "mmap_mode must not be 'x'. Use 'r', 'r+', 'w+' or 'c'.", null)]
    [InlineData("python", StatusCode.FailedPrecondition, "No silo of the cluster executes python: start silos with --python", "silo-without-python")]
    [InlineData("batch", StatusCode.InvalidArgument, "A run begins with Open.", null)]
    public async Task Run_OpenedWrongly_IsRefusedByName(string fault, StatusCode status, string message, string? heading)
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, cancellationToken: Cancellation);
        await using var gateway = await JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = 0 }, cancellationToken: Cancellation);
        using var channel = GrpcChannel.ForAddress(gateway.Address);
        using var run = new Client(channel).Run(cancellationToken: Cancellation);
        await run.RequestStream.WriteAsync(
            fault == "batch"
                ? new ClientMessage { Batch = new Batch { Handle = 1, Calls = 1 } }
                : new ClientMessage
                {
                    Open = new Open
                    {
                        Protocol = fault == "protocol" ? 99 : 1,
                        Runtime = fault == "runtime" ? "cobol" : "python",
                        Slots = fault == "slots" ? 0 : -1,
                        InnerMaxNumThreads = fault == "threads" ? -1 : 0,
                        MmapMode = fault == "mode" ? "x" : "r",
                        MaxBytes = -1,
                    },
                },
            Cancellation);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => run.ResponseStream.MoveNext(Cancellation));
        Assert.Equal(status, refusal.StatusCode);
        Assert.Contains(message, refusal.Status.Detail);
        Assert.Equal(heading, refusal.Trailers.GetValue("joblib-error"));
    }

    [Fact]
    public async Task Arrays_OfNoRun_AreRefused()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, cancellationToken: Cancellation);
        await using var gateway = await JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = 0 }, cancellationToken: Cancellation);
        using var channel = GrpcChannel.ForAddress(gateway.Address);
        var client = new Client(channel);
        using var put = client.PutArray(cancellationToken: Cancellation);
        await put.RequestStream.WriteAsync(new ArrayPart { Run = Guid.NewGuid().ToString(), Length = 100 }, Cancellation);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => put.ResponseAsync)).StatusCode);
        using var get = client.GetArray(new ArrayRequest { Run = "none", Handle = 1, Path = "/etc/passwd" }, cancellationToken: Cancellation);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => get.ResponseStream.MoveNext(Cancellation))).StatusCode);
    }

    [Fact]
    public async Task Taken_PathOfAnUploadedArray_ItsFileGoesBeforeTheRunEnds()
    {
        Assert.SkipUnless(ArrayStore.IsSupported, "There is no store here.");
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, configureSilo: WithPython, cancellationToken: Cancellation);
        await using var gateway = await JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = 0 }, cancellationToken: Cancellation);
        using var channel = GrpcChannel.ForAddress(gateway.Address);
        var client = new Client(channel);
        using var run = client.Run(cancellationToken: Cancellation);
        await run.RequestStream.WriteAsync(new ClientMessage { Open = new Open { Protocol = 1, Runtime = "python", Slots = -1, MmapMode = "r", MaxBytes = -1 } }, Cancellation);
        Assert.True(await run.ResponseStream.MoveNext(Cancellation));
        var id = run.ResponseStream.Current.Opened.Run;
        string[] files = [await PutAsync(), await PutAsync()];
        Assert.All(files, file => Assert.True(File.Exists(file)));
        await run.RequestStream.WriteAsync(new ClientMessage { Taken = new Taken { Paths = { files[0], "/etc/passwd" } } }, Cancellation);
        await GoneAsync(files[0]);
        Assert.True(File.Exists(files[1]));
        Assert.True(File.Exists("/etc/passwd"));
        await run.RequestStream.CompleteAsync();
        await GoneAsync(files[1]);

        async Task<string> PutAsync()
        {
            using var put = client.PutArray(cancellationToken: Cancellation);
            await put.RequestStream.WriteAsync(new ArrayPart { Run = id, Length = 1000, Data = ByteString.CopyFrom(new byte[1000]) }, Cancellation);
            await put.RequestStream.CompleteAsync();
            return (await put.ResponseAsync).Path;
        }

        static async Task GoneAsync(string file)
        {
            using var patience = new CancellationTokenSource(Patience.Limit);
            while (File.Exists(file))
            {
                await Task.Delay(1, patience.Token);
            }
        }
    }

    [Fact]
    public async Task Start_AddressWithoutTls_IsRefused()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, cancellationToken: Cancellation);
        var refusal = await Assert.ThrowsAsync<ArgumentException>(() => JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Address = IPAddress.Any }, cancellationToken: Cancellation));
        Assert.Contains("must not be '0.0.0.0' without TLS", refusal.Message);
    }

    [Fact]
    public async Task Start_PortTaken_NamesIt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, cancellationToken: Cancellation);
        var refusal = await Assert.ThrowsAsync<JoblibException>(() => JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = port }, cancellationToken: Cancellation));
        Assert.Contains($"The gRPC port {port} of '127.0.0.1' is taken", refusal.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tls_ClientShowsACertificateOfTheCa_OrIsRefused(bool shows)
    {
        using var certificates = new TestCertificates();
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1, configureSilo: WithPython, cancellationToken: Cancellation);
        await using var gateway = await JoblibGateway.StartAsync(cluster.Client, new GatewayOptions { Port = 0, Tls = certificates.Silo() }, cancellationToken: Cancellation);
        var options = TlsCredentials.Load(certificates.ForClient()).ForClient(_ => { });
        if (!shows)
        {
            options.ClientCertificateContext = null;
        }

        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        using var channel = GrpcChannel.ForAddress(gateway.Address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { SslOptions = options } });
        var asked = new Client(channel).GetClusterAsync(new ClusterRequest { Runtime = "python" }, cancellationToken: Cancellation).ResponseAsync;
        if (shows)
        {
            Assert.Equal(1, (await asked).Slots);
        }
        else
        {
            await Assert.ThrowsAsync<RpcException>(() => asked);
        }
    }

    // Nothing is executed: that the silo says so is enough.
    private static void WithPython(ISiloBuilder silo) => Microsoft.Extensions.DependencyInjection.OptionsServiceCollectionExtensions.Configure<SiloWorkerOptions>(silo.Services, workers => workers.Python = "python3");
}
