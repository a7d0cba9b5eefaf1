using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Orleans.Joblib;

/// <summary>The dashboard's addresses.</summary>
internal sealed class DashboardPages(DashboardFeed feed, DashboardAccess access)
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    // Orleans' pages style themselves, in fonts of their own.
    private const string GrainsPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>What holds for every request: headers, and who may come in.</summary>
    internal async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments(JoblibDashboard.GrainsPath, StringComparison.Ordinal) ? GrainsPolicy : Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        if (!access.KnowsHost(context.Request))
        {
            await AnswerAsync(context, StatusCodes.Status421MisdirectedRequest, "This dashboard answers to 'localhost' only.").ConfigureAwait(false);
            return;
        }

        if (context.Request.Path == "/login" || context.Request.Path == "/style.css" || access.MayEnter(context.Request))
        {
            await next(context).ConfigureAwait(false);
        }
        else if (context.Request.Path == "/")
        {
            context.Response.Redirect("/login");
        }
        else
        {
            await AnswerAsync(context, StatusCodes.Status401Unauthorized, "Send the dashboard's token as 'Authorization: Bearer …', or open /login.").ConfigureAwait(false);
        }
    }

    internal void Map(WebApplication app)
    {
        app.MapGet("/", context => FileAsync(context, "index.html", "text/html; charset=utf-8"));
        app.MapGet("/app.js", context => FileAsync(context, "app.js", "text/javascript; charset=utf-8"));
        app.MapGet("/stream.js", context => FileAsync(context, "stream.js", "text/javascript; charset=utf-8"));
        app.MapGet("/style.css", context => FileAsync(context, "style.css", "text/css; charset=utf-8"));
        app.MapGet("/login", context => FileAsync(context, "login.html", "text/html; charset=utf-8"));
        app.MapPost("/login", LogInAsync);
        app.MapGet("/frames", FramesAsync);
        app.MapPost("/runs/{run}/cancel", CancelAsync);
    }

    private static async Task FileAsync(HttpContext context, string name, string type)
    {
        context.Response.ContentType = type;
        var file = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        await using (file.ConfigureAwait(false))
        {
            await file.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private async Task LogInAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType || !access.IsToken((await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false))["token"]))
        {
            context.Response.Redirect("/login?wrong");
            return;
        }

        context.Response.Cookies.Append(
            DashboardAccess.Cookie,
            context.Request.Form["token"]!,
            new CookieOptions { HttpOnly = true, Secure = context.Request.IsHttps, SameSite = SameSiteMode.Strict, IsEssential = true });
        context.Response.Redirect("/");
    }

    /// <summary>Frames as server-sent events, for as long as the page stays.</summary>
    private async Task FramesAsync(HttpContext context)
    {
        if (feed.Open() is not { } frames)
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, $"{DashboardFeed.MostPages} pages are open. Close one.").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "text/event-stream";
        var left = context.RequestAborted;
        try
        {
            while (!left.IsCancellationRequested)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(left);
                patience.CancelAfter(Silence);
                try
                {
                    if (!await frames.WaitToReadAsync(patience.Token).ConfigureAwait(false))
                    {
                        return;
                    }
                }
                catch (OperationCanceledException) when (!left.IsCancellationRequested)
                {
                    // A line that nobody reads, so that a page which is gone is noticed.
                    await context.Response.WriteAsync(":\n\n", left).ConfigureAwait(false);
                }

                while (frames.TryRead(out var frame))
                {
                    await context.Response.Body.WriteAsync("data: "u8.ToArray(), left).ConfigureAwait(false);
                    await context.Response.Body.WriteAsync(frame, left).ConfigureAwait(false);
                    await context.Response.Body.WriteAsync("\n\n"u8.ToArray(), left).ConfigureAwait(false);
                }

                await context.Response.Body.FlushAsync(left).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The page is gone.
        }
        finally
        {
            feed.Close(frames);
        }
    }

    private async Task CancelAsync(HttpContext context)
    {
        if (context.Request.Headers[DashboardAccess.Header].Count == 0)
        {
            await AnswerAsync(context, StatusCodes.Status403Forbidden, $"Send the header '{DashboardAccess.Header}': it shows that no other site's page asks.").ConfigureAwait(false);
            return;
        }

        if (!Guid.TryParse((string?)context.Request.RouteValues["run"], out var run))
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "That is not a run's id.").ConfigureAwait(false);
            return;
        }

        try
        {
            var cancelled = await feed.Monitor.CancelAsync(run, $"from the dashboard, by somebody at {context.Connection.RemoteIpAddress}.", context.RequestAborted).ConfigureAwait(false);
            await AnswerAsync(context, cancelled ? StatusCodes.Status200OK : StatusCodes.Status404NotFound, cancelled ? "The run is cancelled." : "The run is not open.").ConfigureAwait(false);
        }
        catch (JoblibException exception)
        {
            await AnswerAsync(context, StatusCodes.Status502BadGateway, exception.Message).ConfigureAwait(false);
        }
    }

    private static async Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(text + "\n", context.RequestAborted).ConfigureAwait(false);
    }
}
