using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Orleans.Joblib;

/// <summary>Who may see the dashboard: who knows the token, if there is one; and never a page of another site that the visitor has open.</summary>
internal sealed class DashboardAccess(DashboardOptions options)
{
    internal const string Cookie = "joblib-dashboard";

    // What a script of another site cannot send without being asked for permission, which it is not given.
    internal const string Header = "X-Joblib-Dashboard";

    private readonly byte[]? _token = options.Token is { } token ? SHA256.HashData(Encoding.UTF8.GetBytes(token)) : null;

    internal bool NeedsToken => _token is not null;

    /// <summary>On loopback only names of this host are answered to: another site's name may have been pointed here.</summary>
    internal bool KnowsHost(HttpRequest request) =>
        !IPAddress.IsLoopback(options.Address)
        || request.Host.Host is "localhost"
        || (IPAddress.TryParse(request.Host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    internal bool MayEnter(HttpRequest request) =>
        _token is null || IsToken(request.Cookies[Cookie]) || (request.Headers.Authorization.ToString() is { } header && header.StartsWith("Bearer ", StringComparison.Ordinal) && IsToken(header["Bearer ".Length..]));

    internal bool IsToken(string? text) =>
        text is not null && _token is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(text)), _token);
}
