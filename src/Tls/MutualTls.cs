using Microsoft.AspNetCore.Connections;

namespace Orleans.Joblib;

/// <summary>Puts mutual TLS between a connection and Orleans. The one place to change for another TLS middleware.</summary>
internal static class MutualTls
{
    /// <summary>The side that was connected to.</summary>
    internal static void UseMutualTlsAsServer(this IConnectionBuilder builder, TlsCredentials credentials, Action<string>? refused = null) =>
        builder.Use(next => new TlsConnection(credentials, isServer: true, next, refused).RunAsync);

    /// <summary>The side that connects.</summary>
    internal static void UseMutualTlsAsClient(this IConnectionBuilder builder, TlsCredentials credentials, Action<string>? refused = null) =>
        builder.Use(next => new TlsConnection(credentials, isServer: false, next, refused).RunAsync);
}
