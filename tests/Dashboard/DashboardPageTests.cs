using System.Globalization;
using Microsoft.Playwright;
using Orleans.Hosting;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Dashboard;

/// <summary>The dashboard as a person sees it, in a browser, over silo processes at work.</summary>
public sealed class DashboardPageTests(Browser browser) : IClassFixture<Browser>
{
    private const string Shown = "() => joblib.stream.barCount > 0";
    private static readonly BrowserNewContextOptions Phone = new() { ViewportSize = new() { Width = 390, Height = 844 }, ColorScheme = ColorScheme.Dark, HasTouch = true };

    [Fact]
    public async Task Page_ClusterUnderLoad_ShowsItAndCancelsARun()
    {
        await using var silos = await SiloCluster.StartAsync(1);
        var silo = (await silos.AddAsync(1, null, null, "--dashboard", "--dashboard-port", "0"))[0];
        await using var connection = await JoblibCluster.ConnectAsync(silos.Address);
        var (page, errors) = await browser.OpenAsync(silo.Dashboard);
        var results = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client)).Run(Enumerable.Range(0, 100_000).Select(i => Delayed(() =>
        {
            Thread.Sleep(2);
            return i;
        }))));

        await page.WaitForFunctionAsync(Shown);
        var run = page.Locator("#runs tbody tr").First;
        await Assertions.Expect(run).ToContainTextAsync("of 100,000");
        await Assertions.Expect(page.Locator("#silos tbody tr")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator("#total-busy")).ToHaveTextAsync("4 of 4");
        Assert.Equal(4, await page.EvaluateAsync<int>("() => joblib.stream.laneCount"));
        await page.WaitForFunctionAsync("() => document.querySelector('#runs progress').value > 100");
        await ShotAsync(page, "light");

        // The task stream has bars in the run's colour.
        await page.WaitForFunctionAsync(
            """
            () => { const canvas = document.getElementById('stream'), data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; let painted = 0;
              for (let i = 3; i < data.length; i += 4) painted += data[i] > 0 ? 1 : 0; return painted > 1000; }
            """);

        page.Dialog += (_, dialog) => dialog.AcceptAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Cancel ") }).First.ClickAsync();
        var error = await Assert.ThrowsAsync<JoblibException>(() => results.WaitAsync(Patience.Limit));
        Assert.Contains("from the dashboard", error.Message, StringComparison.Ordinal);
        await Assertions.Expect(run).ToContainTextAsync("cancelled");

        // Orleans' own dashboard, for grains and their methods.
        await page.GetByRole(AriaRole.Link, new() { Name = "Grains" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "BatchGrain" }).First).ToBeVisibleAsync();
        await ShotAsync(page, "grains");
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Page_CallFails_ShowsCallAndStack()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var (page, errors) = await browser.OpenAsync(dashboard.Address);
        Assert.Throws<ArgumentOutOfRangeException>(() => Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run(Enumerable.Range(0, 20).Select(i => Delayed(FailAt, i, 7))));
        var error = page.Locator("#errors details").First;
        await Assertions.Expect(error).ToContainTextAsync("call 7 of");
        await error.Locator("summary").ClickAsync();
        await Assertions.Expect(error.Locator("code")).ToContainTextAsync("FailAt(7, 7)");
        await Assertions.Expect(error.Locator("pre")).ToContainTextAsync(nameof(FailAt));
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Page_OnAPhoneInTheDark_FitsAndNamesWhatItShows()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 2);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        Assert.Equal(10, Parallel(nJobs: -1, backend: new OrleansBackend(cluster.Client)).Run(Enumerable.Range(0, 10).Select(i => Delayed(Math.Abs, i))).Length);
        var (page, errors) = await browser.OpenAsync(dashboard.Address, Phone);
        await page.WaitForFunctionAsync(Shown);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Equal("rgb(15, 20, 26)", await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
        await ShotAsync(page, "phone");

        // Every picture, control and table has a name for those who do not see it.
        foreach (var role in new[] { AriaRole.Img, AriaRole.Button, AriaRole.Table, AriaRole.Combobox, AriaRole.Progressbar, AriaRole.Meter })
        {
            Assert.NotEqual(0, await page.GetByRole(role).CountAsync());
            Assert.Equal(await page.GetByRole(role).CountAsync(), await page.GetByRole(role, new() { NameRegex = new(".") }).CountAsync());
        }

        Assert.Empty(errors);
    }

    [Fact]
    public async Task Page_SiloThatServesItGoes_SaysSo()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var (page, _) = await browser.OpenAsync(dashboard.Address);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        await dashboard.DisposeAsync();
        await Assertions.Expect(page.Locator("#connection")).ToContainTextAsync("does not answer");
    }

    [Fact]
    public async Task Page_AnswerThatIsNoFeed_IsAskedForAgain()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var (page, _) = await browser.OpenAsync(dashboard.Address, before: page => page.RouteAsync("**/frames", route => route.FulfillAsync(new() { Status = 503 }), new() { Times = 1 }));
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
    }

    [Fact]
    public async Task Page_Hidden_GivesItsConnectionBackAndTakesItUpWhenSeen()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var (page, errors) = await browser.OpenAsync(dashboard.Address, before: page => page.AddInitScriptAsync(
            """
            window.sources = []; window.EventSource = class extends EventSource { constructor(...given) { super(...given); sources.push(this); } };
            window.setHidden = hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); };
            """));
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");

        // Seen again before the time is over: it stays.
        await page.EvaluateAsync("() => { setHidden(true); setHidden(false); }");
        Assert.Equal("1 1", await page.EvaluateAsync<string>("() => `${sources.length} ${sources[0].readyState}`"));

        await page.EvaluateAsync("() => { joblib.hiddenFor = 0; setHidden(true); }");
        await page.WaitForFunctionAsync("() => sources[0].readyState === EventSource.CLOSED");
        await page.EvaluateAsync("() => setHidden(false)");
        await page.WaitForFunctionAsync("() => sources.length === 2 && sources[1].readyState === EventSource.OPEN");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        Assert.Empty(errors);
    }

    [Fact]
    public async Task TaskStream_HiddenOrPaused_KeepsNoMoreThanItShows()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0 });
        var (page, errors) = await browser.OpenAsync(dashboard.Address);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        const string Feed =
            """
            for (let i = 0; i < 200; i++) joblib.stream.take({ batches: Array.from({ length: 1000 }, (_, n) => ['silo', 0, 'run', Date.now() + i, 1, 1, 0, n]), running: [] });
            """;
        var hidden = await page.EvaluateAsync<int>($"() => {{ const frame = requestAnimationFrame; requestAnimationFrame = () => 0; {Feed} requestAnimationFrame = frame; return joblib.stream.waitingCount; }}");
        Assert.InRange(hidden, 0, 60_000);
        Assert.InRange(await page.EvaluateAsync<int>("() => joblib.stream.barCount"), 1, 60_000);

        var seen = await page.EvaluateAsync<int>("() => { joblib.stream.paused = true; return joblib.stream.barCount; }");
        var paused = await page.EvaluateAsync<int>($"() => {{ {Feed} return joblib.stream.waitingCount; }}");
        Assert.InRange(paused, 60_000, 120_000);
        Assert.Equal(seen, await page.EvaluateAsync<int>("() => joblib.stream.barCount"));
        await page.EvaluateAsync("() => { joblib.stream.paused = false; joblib.stream.take({ batches: [], running: [] }); }");
        Assert.InRange(await page.EvaluateAsync<int>("() => joblib.stream.barCount"), 1, 60_000);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Page_TokenAsked_LetsInWhoTypesIt()
    {
        await using var cluster = await LocalCluster.StartAsync(slotsPerSilo: 1);
        await using var dashboard = await JoblibDashboard.StartAsync(cluster.Client, new DashboardOptions { Port = 0, Token = "a token of the tests" });
        var (page, _) = await browser.OpenAsync(dashboard.Address);
        await page.GetByLabel("The dashboard's token").FillAsync("a token of the tests");
        await page.GetByRole(AriaRole.Button).ClickAsync();
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
    }

    /// <remarks>A browser that shows a thousand slots does not share two cores with the silos: with <c>JOBLIB_TESTS_BROWSER_FIRST=1</c> all but the browser runs at the lowest priority.</remarks>
    [Fact(Explicit = true)]
    public async Task FrameRate_Of_AThousandSlots()
    {
        if (Environment.GetEnvironmentVariable("JOBLIB_TESTS_BROWSER_FIRST") == "1")
        {
            using var renice = System.Diagnostics.Process.Start("renice", ["-n", "19", .. Directory.GetDirectories("/proc/self/task").Select(thread => Path.GetFileName(thread)!)]);
            await renice.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await using var silos = await SiloCluster.StartAsync(4, 250, "--dashboard", "--dashboard-port", "0");
        await using var connection = await JoblibCluster.ConnectAsync(silos.Address);
        using var ending = new CancellationTokenSource();
        var load = Task.Run(() => Parallel(nJobs: -1, backend: new OrleansBackend(connection.Client), batchSize: 1).RunAsync(
            Enumerable.Range(0, 1_000_000).Select(_ => Delayed(() =>
            {
                Thread.Sleep(1000);
                return 0;
            })),
            ending.Token));
        var (page, errors) = await browser.OpenAsync(silos.Silos[0].Dashboard);
        await Assertions.Expect(page.Locator("#total-busy")).ToHaveTextAsync("1,000 of 1,000");
        var report = await page.EvaluateAsync<string>(
            """
            () => new Promise(done => { const times = []; const step = now => { times.push(now); if (now - times[0] < 10000) requestAnimationFrame(step); else {
              const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
              done(`${((times.length - 1) / (times.at(-1) - times[0]) * 1000).toFixed(1)} frames/s, p50 ${gaps[gaps.length >> 1].toFixed(1)} ms, p95 ${gaps[Math.floor(gaps.length * 0.95)].toFixed(1)} ms, pauses over 20 ms ${gaps.filter(gap => gap > 20).map(gap => gap.toFixed(0)).join(' ')}, lanes ${joblib.stream.laneCount}, bars ${joblib.stream.barCount}`); } };
              requestAnimationFrame(step); })
            """);
        await ShotAsync(page, "thousand");
        TestContext.Current.SendDiagnosticMessage(report);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"dashboard: {report}"));
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load.WaitAsync(Patience.Limit));
        Assert.Empty(errors);
    }

    private static int FailAt(int call, int when) => call == when ? throw new ArgumentOutOfRangeException(nameof(call), "seven it is") : call;

    /// <summary>With JOBLIB_TESTS_SHOTS, a folder, pictures of the page for a person to look at.</summary>
    private static async Task ShotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("JOBLIB_TESTS_SHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
