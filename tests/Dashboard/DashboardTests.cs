using System.Net;
using System.Text;
using Orleans.Hosting;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Dashboard;

/// <summary>The dashboard's addresses, and what a cluster tells it.</summary>
public sealed class DashboardTests
{
    private const string Token = "a token of the tests";

    [Fact]
    public async Task Frames_RunInProgress_ShowItsBatchesWorkersAndProgress()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 3);
        using var feed = await FeedAsync(cluster);
        using var running = new CountdownEvent(3);
        using var release = new ManualResetEventSlim();
        var results = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client), batchSize: 2).Run(Calls(running, release)));
        Assert.True(running.Wait(Patience.Limit));

        var busy = await feed.UntilAsync(frame => frame.Running.Count == 3 && frame.Runs is [{ TotalCalls: 30 }]);
        Assert.Equal(RunState.Running, busy.Runs[0].State);
        Assert.Equal([0, 1, 2], busy.Running.Select(batch => batch.Worker).Order());
        Assert.All(busy.Running, batch => Assert.Equal((busy.Runs[0].Run, 2), (batch.Run, batch.Calls)));
        Assert.Equal((3, 3), (busy.Silos[0].Slots, busy.Silos[0].BusySlots));
        Assert.Equal(Environment.ProcessId, busy.Silos[0].ProcessId);

        release.Set();
        Assert.Equal(Enumerable.Range(0, 30), await results.WaitAsync(Patience.Limit));
        var ended = await feed.UntilAsync(frame => frame.Runs is [{ EndedAt: not null }]);
        Assert.Equal((RunState.Completed, 30L, 0L), (ended.Runs[0].State, ended.Runs[0].CompletedCalls, ended.Runs[0].FailedBatches));
        Assert.Equal(30, feed.Batches.Sum(batch => batch.Calls));
    }

    [Fact]
    public async Task Frames_CallFails_ShowItsIndexArgumentsAndStack()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        using var feed = await FeedAsync(cluster);
        Assert.Throws<InvalidOperationException>(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run(Enumerable.Range(0, 20).Select(i => Delayed(FailAt, i, 7))));
        var run = (await feed.UntilAsync(frame => frame.Runs.Any(run => run.Failure is not null))).Runs.Single(run => run.Failure is not null);
        var failure = run.Failure!;
        Assert.Equal(RunState.Failed, run.State);
        Assert.Equal(7, failure.CallIndex);
        Assert.Contains("FailAt(7, 7)", failure.Call, StringComparison.Ordinal);
        Assert.Contains(nameof(FailAt), failure.StackTrace, StringComparison.Ordinal);
        Assert.Contains("seven it is", failure.Exception, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frames_RunsThatEnded_AreToldOnceAndToPagesThatOpenLater()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Period = TimeSpan.FromMilliseconds(100) });
        using var http = new HttpClient { BaseAddress = dashboard.Address };
        using var feed = await FrameFeed.OpenAsync(http);
        for (var i = 0; i < 3; i++)
        {
            Assert.Throws<InvalidOperationException>(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run([Delayed(FailAt, 7, 7)]));
        }

        var ended = await feed.UntilAsync(frame => frame.Runs.Length == 3 && frame.Runs.All(run => run.EndedAt is not null));
        feed.TimesTold.Clear();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ended.Runs, (await feed.UntilAsync(_ => true)).Runs);
        }

        Assert.Empty(feed.TimesTold);
        using var later = await FrameFeed.OpenAsync(http);
        Assert.Equal(ended.Runs, (await later.UntilAsync(_ => true)).Runs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_RunInProgress_ItsLoopFailsAndSaysWhy(bool remote)
    {
        await using var silos = remote ? await SiloCluster.StartAsync(1) : null;
        await using var local = remote ? null : await LocalCluster.StartAsync(slotsPerSilo: 2);
        await using var connection = remote ? await JoblibCluster.ConnectAsync(silos!.Address) : null;
        var client = connection?.Client ?? local!.Client;
        await using var dashboard = await JoblibDashboard.StartAsync(client, new DashboardOptions { Port = 0, Period = TimeSpan.FromMilliseconds(100) });
        using var http = new HttpClient { BaseAddress = dashboard.Address };
        using var feed = await FrameFeed.OpenAsync(http);
        var numbers = new double[1 << 20];
        var results = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(client)).Run(Enumerable.Range(0, 50).Select(i => Delayed(token => WaitForEnd(i, numbers, token)))));
        var run = (await feed.UntilAsync(frame => frame.Running.Count == 2)).Runs[0].Run;
        if (remote)
        {
            // The calls' array is in shared memory of the silo's host, which is the client's.
            await feed.UntilAsync(frame => frame.Silos[0] is { Arrays: > 0, ArrayBytes: >= 8 << 20 });
        }

        using var unasked = await http.PostAsync($"runs/{run}/cancel", null);
        Assert.Equal(HttpStatusCode.Forbidden, unasked.StatusCode);
        using var asked = await CancelAsync(http, run);
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        var error = await Assert.ThrowsAsync<JoblibException>(() => results.WaitAsync(Patience.Limit));
        Assert.Contains("cancelled on the cluster: from the dashboard", error.Message, StringComparison.Ordinal);
        await feed.UntilAsync(frame => frame.Running.Count == 0 && frame.Runs.Any(one => one.Run == run && one.State == RunState.Cancelled));
        using var again = await CancelAsync(http, run);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.Equal([4], Parallel(nJobs: -1, backend: new OrleansBackend(client)).Run([Delayed(Math.Abs, -4)]));
    }

    [Fact]
    public async Task Frames_SiloDiesAndAnotherJoins_SayThatOneLeftAndOneJoined()
    {
        await using var silos = await SiloCluster.StartAsync(2);
        await using var connection = await JoblibCluster.ConnectAsync(silos.Address);
        await using var dashboard = await JoblibDashboard.StartAsync(connection.Client, new DashboardOptions { Port = 0, Period = TimeSpan.FromMilliseconds(100) });
        using var http = new HttpClient { BaseAddress = dashboard.Address };
        using var feed = await FrameFeed.OpenAsync(http);
        await feed.UntilAsync(frame => frame.Silos.Length == 2 && frame.Silos.All(silo => silo.Slots == 2));
        var victim = silos.Silos[0];
        await victim.KillAsync();
        await feed.UntilAsync(_ => feed.Events.Contains((victim.Address.ToParsableString(), "left")));
        var joined = (await silos.AddAsync())[0];
        await feed.UntilAsync(_ => feed.Events.Contains((joined.Address.ToParsableString(), "joined")));
    }

    [Fact]
    public async Task Pages_TokenAsked_LetInOnlyWhoKnowsIt()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Token = Token });
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { BaseAddress = dashboard.Address };
        Assert.Equal((HttpStatusCode.Redirect, "/login"), await StatusAsync(http.GetAsync("")));
        Assert.Equal(HttpStatusCode.Unauthorized, (await StatusAsync(http.GetAsync("frames"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StatusAsync(CancelAsync(http, Guid.NewGuid().ToString("N")))).Status);
        Assert.Equal((HttpStatusCode.Redirect, "/login?wrong"), await StatusAsync(http.PostAsync("login", new FormUrlEncodedContent([new("token", "another")]))));
        Assert.Equal((HttpStatusCode.Redirect, "/login?wrong"), await StatusAsync(http.PostAsync("login", new StringContent("token=" + Token))));
        Assert.Equal(HttpStatusCode.Redirect, (await StatusAsync(http.GetAsync(""))).Status);
        Assert.Equal((HttpStatusCode.Redirect, "/"), await StatusAsync(http.PostAsync("login", new FormUrlEncodedContent([new("token", Token)]))));
        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(http.GetAsync(""))).Status);

        using var tool = new HttpClient { BaseAddress = dashboard.Address };
        tool.DefaultRequestHeaders.Authorization = new("Bearer", Token);
        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(tool.GetAsync("app.js"))).Status);
    }

    [Fact]
    public async Task GrainViews_SiloWithToken_ShowTheWholeClusterToWhoKnowsIt()
    {
        await using var silos = await SiloCluster.StartAsync(1);
        var silo = (await silos.AddAsync(1, new Dictionary<string, string?> { ["JOBLIB_DASHBOARD_TOKEN"] = Token }, null, "--dashboard", "--dashboard-port", "0"))[0];
        await using var connection = await JoblibCluster.ConnectAsync(silos.Address);
        Assert.Equal(20, Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1).Run(Enumerable.Range(0, 20).Select(i => Delayed(Math.Abs, i))).Length);
        using var stranger = new HttpClient { BaseAddress = silo.Dashboard };
        Assert.Equal(HttpStatusCode.Unauthorized, (await StatusAsync(stranger.GetAsync("orleans/"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await StatusAsync(stranger.GetAsync("orleans/DashboardCounters"))).Status);
        using var health = new HttpClient { BaseAddress = silo.Health };
        Assert.Equal(HttpStatusCode.NotFound, (await StatusAsync(health.GetAsync("orleans/"))).Status);

        using var visitor = new HttpClient { BaseAddress = silo.Dashboard };
        visitor.DefaultRequestHeaders.Authorization = new("Bearer", Token);
        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(visitor.GetAsync("orleans/"))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await StatusAsync(visitor.GetAsync("orleans/nonsense"))).Status);
        using var patience = new CancellationTokenSource(Patience.Limit);
        string counters;
        do
        {
            counters = await visitor.GetStringAsync("orleans/DashboardCounters", patience.Token);
        }
        while (!silos.Silos.All(one => counters.Contains($"\"grainType\":\"Orleans.Joblib.Silo.BatchGrain\",\"siloAddress\":\"{one.Address.ToParsableString()}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Pages_AskedForByAnotherName_AreNotShown()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        using var http = new HttpClient { BaseAddress = dashboard.Address };
        http.DefaultRequestHeaders.Host = "evil.example";
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await StatusAsync(http.GetAsync(""))).Status);
        http.DefaultRequestHeaders.Host = $"localhost:{dashboard.Address.Port}";
        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(http.GetAsync(""))).Status);
    }

    [Fact]
    public async Task Server_GetsNonsenseAndPagesThatVanish_ServesOn()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Period = TimeSpan.FromMilliseconds(100) });
        using var http = new HttpClient { BaseAddress = dashboard.Address };
        var random = new Random(20261123);
        for (var i = 0; i < 50; i++)
        {
            using var socket = new System.Net.Sockets.TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, dashboard.Address.Port, TestContext.Current.CancellationToken);
            var nonsense = new byte[random.Next(1, 4096)];
            random.NextBytes(nonsense);
            await socket.GetStream().WriteAsync(nonsense, TestContext.Current.CancellationToken);
            using var page = new System.Net.Sockets.TcpClient();
            await page.ConnectAsync(IPAddress.Loopback, dashboard.Address.Port, TestContext.Current.CancellationToken);
            await page.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /frames HTTP/1.1\r\nHost: localhost\r\n\r\n"), TestContext.Current.CancellationToken);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await StatusAsync(CancelAsync(http, "nonsense"))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await StatusAsync(http.GetAsync("../../etc/passwd"))).Status);
        using var big = new HttpRequestMessage(HttpMethod.Post, "login") { Content = new FormUrlEncodedContent([new("token", new string('x', 100_000))]) };
        Assert.False((await http.SendAsync(big, TestContext.Current.CancellationToken)).StatusCode == HttpStatusCode.OK);
        using var feed = await FrameFeed.OpenAsync(http);
        await feed.UntilAsync(frame => frame.Silos.Length == 1);
    }

    [Fact]
    public async Task Start_PortTakenOrOptionsWrong_SaysSoAndStartsNothing()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var taken = await Assert.ThrowsAsync<JoblibException>(() => JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = dashboard.Address.Port }));
        Assert.Contains("is taken by another process", taken.Message, StringComparison.Ordinal);
        foreach (var wrong in new DashboardOptions[]
        {
            new() { Address = IPAddress.Any }, new() { Address = IPAddress.Any, Token = Token }, new() { Token = "short" }, new() { Port = 65536 }, new() { Period = TimeSpan.Zero },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => JoblibDashboard.StartAsync(cluster.Client, wrong));
        }
    }

    [Fact]
    public async Task Https_SilosCertificateIsReplaced_NextConnectionGetsTheNewOne()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        using var certificates = new TestCertificates();
        var files = certificates.Silo();
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Credentials = TlsCredentials.Load(files) });
        Assert.Equal("https", dashboard.Address.Scheme);
        var before = await ShownAsync();
        Assert.Equal(before, await ShownAsync());
        certificates.Silo();
        File.SetLastWriteTimeUtc(files.CertificateFile!, DateTime.UtcNow.AddSeconds(5));
        Assert.NotEqual(before, await ShownAsync());

        async Task<string> ShownAsync()
        {
            var shown = "";
            using var handler = new HttpClientHandler
            {
                ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
                {
                    shown = certificate!.Thumbprint;
                    return true;
                },
            };
            using var http = new HttpClient(handler) { BaseAddress = dashboard.Address };
            Assert.Equal(HttpStatusCode.OK, (await StatusAsync(http.GetAsync(""))).Status);
            return shown;
        }
    }

    private static async Task<FrameFeed> FeedAsync(LocalCluster cluster)
    {
        var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Period = TimeSpan.FromMilliseconds(100) });
        return await FrameFeed.OpenAsync(new HttpClient { BaseAddress = dashboard.Address }, dashboard);
    }

    private static List<Delayed<int>> Calls(CountdownEvent running, ManualResetEventSlim release) => Enumerable.Range(0, 30).Select(i => Delayed(() =>
    {
        if (!running.IsSet && i % 2 == 0)
        {
            running.Signal();
        }

        Patience.Await(release, "the test to let calls end");
        return i;
    })).ToList();

    private static int FailAt(int call, int when) => call == when ? throw new InvalidOperationException("seven it is") : call;

    private static int WaitForEnd(int value, double[] numbers, CancellationToken token)
    {
        Patience.AwaitCancelled(token);
        return value + numbers.Length;
    }

    private static Task<HttpResponseMessage> CancelAsync(HttpClient http, string run)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"runs/{run}/cancel");
        request.Headers.Add("X-Joblib-Dashboard", "1");
        return http.SendAsync(request);
    }

    private static async Task<(HttpStatusCode Status, string? Location)> StatusAsync(Task<HttpResponseMessage> answer)
    {
        using var got = await answer;
        return (got.StatusCode, got.Headers.Location?.ToString());
    }
}
