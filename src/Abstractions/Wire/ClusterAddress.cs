using System.Globalization;

namespace Orleans.Joblib;

/// <summary>Where a cluster is, read from one string. Clients and silos share the grammar; docs/deploy.md has it in full.</summary>
/// <remarks>
/// <code>
/// redis://[[user]:password@]host[:6379][,host[:port]…][/database][?cluster=NAME&amp;…]     rediss:// for TLS to Redis
/// host[:30000][,host[:port]…][?cluster=NAME&amp;…]                                         gateways, without a membership service
/// </code>
/// Parameters: <c>cluster</c> (default <c>joblib</c>), <c>tls-certificate</c>, <c>tls-key</c>, <c>tls-ca</c>, <c>tls-thumbprint</c>, <c>tls-check-revocation</c>. Reserved characters are percent-encoded.
/// </remarks>
internal sealed class ClusterAddress
{
    internal const string DefaultCluster = "joblib";
    internal const int DefaultRedisPort = 6379;
    internal const int DefaultGatewayPort = 30000;

    private const int NotEvenANumber = -1;

    private static readonly string[] TlsKeys = ["tls-certificate", "tls-key", "tls-ca", "tls-thumbprint", "tls-check-revocation"];

    private readonly string _hosts = "";
    private readonly string _scheme = "";

    private ClusterAddress(string scheme, string hosts)
    {
        _scheme = scheme;
        _hosts = hosts;
    }

    internal bool IsRedis => _scheme.Length > 0;

    /// <summary>Whether the connection to Redis itself is encrypted.</summary>
    internal bool RedisTls => _scheme == "rediss://";

    internal IReadOnlyList<(string Host, int? Port)> Endpoints { get; private init; } = [];

    internal string Cluster { get; private init; } = DefaultCluster;

    internal string? User { get; private init; }

    internal string? Password { get; private init; }

    internal int? Database { get; private init; }

    /// <summary>The <c>tls-…</c> parameters that were given.</summary>
    internal IReadOnlyDictionary<string, string> Tls { get; private init; } = new Dictionary<string, string>();

    /// <summary>Reads a cluster string.</summary>
    /// <exception cref="ArgumentException">The text is none; the message names every fault.</exception>
    internal static ClusterAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var faults = new List<string>();
        var rest = text.Trim();
        var scheme = "";
        if (rest.IndexOf("://", StringComparison.Ordinal) is >= 0 and var end)
        {
            scheme = rest[..(end + 3)].ToLowerInvariant();
            rest = rest[(end + 3)..];
            if (scheme is not ("redis://" or "rediss://"))
            {
                faults.Add($"'{scheme}' is not known");
            }
        }

        var parameters = "";
        if (rest.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark)
        {
            parameters = rest[(mark + 1)..];
            rest = rest[..mark];
        }

        string? user = null, password = null;
        if (rest.LastIndexOf('@') is >= 0 and var at)
        {
            var credentials = rest[..at].Split(':', 2);
            rest = rest[(at + 1)..];
            user = credentials.Length == 2 && credentials[0].Length > 0 ? Uri.UnescapeDataString(credentials[0]) : null;
            password = Uri.UnescapeDataString(credentials[^1]);
        }

        int? database = null;
        if (rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash)
        {
            var number = rest[(slash + 1)..];
            rest = rest[..slash];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            {
                database = parsed;
            }
            else if (number.Length > 0)
            {
                faults.Add($"'{number}' is no database number");
            }
        }

        if (scheme.Length == 0 && (password is not null || database is not null))
        {
            faults.Add("a user, password or database is for Redis only");
        }

        var endpoints = rest.Split(',', StringSplitOptions.TrimEntries).Select(part => ParseEndpoint(part, faults)).ToList();
        var cluster = DefaultCluster;
        var tls = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in parameters.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = parameter.Split('=', 2);
            var value = pair.Length == 2 ? Uri.UnescapeDataString(pair[1]) : "";
            if (value.Length == 0)
            {
                faults.Add($"'{pair[0]}' has no value");
            }
            else if (pair[0] == "cluster")
            {
                cluster = value;
            }
            else if (TlsKeys.Contains(pair[0]))
            {
                tls[pair[0]] = value;
            }
            else
            {
                faults.Add($"'{pair[0]}' is not one of 'cluster', {string.Join(", ", TlsKeys.Select(key => $"'{key}'"))}");
            }
        }

        if (faults.Count == 0)
        {
            return new ClusterAddress(scheme, rest) { Endpoints = endpoints, Cluster = cluster, User = user, Password = password, Database = database, Tls = tls };
        }

        // What looks like a part that is wrong may be one of a password.
        if (scheme.Length > 0 && (parameters.Contains('@', StringComparison.Ordinal) || (password is null && endpoints.Any(endpoint => endpoint.Port is NotEvenANumber))))
        {
            (text, faults) = (scheme + "…", ["which part of it is the host cannot be told: a user and password end with '@', and '@', ':', '/' and '?' in them are percent-encoded ('?' is '%3F'); a port is a number from 1 to 65535"]);
        }

        throw new ArgumentException(
            $"The cluster string must not be '{WithoutPassword(text)}': {string.Join("; ", faults)}. Use 'redis://host:port?cluster=NAME', or 'host:port' of a gateway.", nameof(text))
        {
            HelpLink = "docs/errors.md#cluster-string",
        };
    }

    /// <summary>The string to name the cluster by in messages: no user, no password, no files.</summary>
    public override string ToString() => $"{_scheme}{_hosts}{(Database is { } number ? string.Create(CultureInfo.InvariantCulture, $"/{number}") : "")}?cluster={Uri.EscapeDataString(Cluster)}";

    private static (string Host, int? Port) ParseEndpoint(string text, List<string> faults)
    {
        // An IPv6 address stands in brackets when it has a port.
        var close = text.LastIndexOf(']');
        var colon = text.LastIndexOf(':');
        var bare = colon >= 0 && close < 0 && text.IndexOf(':', StringComparison.Ordinal) != colon;
        var hasPort = colon > close && !bare;
        var host = (hasPort ? text[..colon] : text).Trim('[', ']');
        if (host.Length == 0 || host.Any(char.IsWhiteSpace))
        {
            faults.Add(text.Length == 0 ? "a host is missing" : $"'{text}' has no host");
        }

        if (!hasPort)
        {
            return (host, null);
        }

        if (int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535)
        {
            return (host, port);
        }

        var given = text[(colon + 1)..];
        faults.Add($"'{given}' is no port from 1 to 65535");
        return (host, given.Length is > 0 and <= 5 && given.All(char.IsAsciiDigit) ? null : NotEvenANumber);
    }

    private static string WithoutPassword(string text)
    {
        var start = text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var end ? end + 3 : 0;
        return text.LastIndexOf('@') is >= 0 and var at && at > start ? text[..start] + "…" + text[at..] : text;
    }
}
