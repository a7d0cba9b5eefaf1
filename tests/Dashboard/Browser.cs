using Microsoft.Playwright;
using Xunit;

namespace Orleans.Joblib.Tests.Dashboard;

/// <summary>A real browser without a screen: the system's Chromium, installed by Debian's package manager where it is missing and may be.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/microsoft-edge"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private string? _missing;

    public async ValueTask InitializeAsync()
    {
        var program = Places.FirstOrDefault(File.Exists);
        if (program is null)
        {
            var said = await Task.Run(() => DebianPackages.TryInstall("chromium"));
            program = Places.FirstOrDefault(File.Exists);
            if (program is null)
            {
                _missing = $"There is no browser at {string.Join(", ", Places)}, and none can be installed here: {said} Install one of them.";
                return;
            }
        }

        // A context's own timeout is not that of expectations, which stays at 5 s.
        Assertions.SetDefaultExpectTimeout((float)Patience.Limit.TotalMilliseconds);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>Opens a page, of which something may be changed before it loads; what it writes to its console as an error fails the test that asks for it.</summary>
    internal async Task<(IPage Page, List<string> Errors)> OpenAsync(Uri address, BrowserNewContextOptions? options = null, Func<IPage, Task>? before = null)
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        var context = await _browser!.NewContextAsync(options ?? new() { ViewportSize = new() { Width = 1400, Height = 900 } });
        context.SetDefaultTimeout((float)Patience.Limit.TotalMilliseconds);
        var page = await context.NewPageAsync();
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                errors.Add(message.Text);
            }
        };
        if (before is not null)
        {
            await before(page);
        }

        await page.GotoAsync(address.ToString());
        return (page, errors);
    }
}
