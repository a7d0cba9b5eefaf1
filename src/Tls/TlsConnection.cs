using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;

namespace Orleans.Joblib;

/// <summary>Connection middleware: a TLS handshake in which both sides show a certificate, then the rest of the pipeline over the encrypted stream.</summary>
/// <remarks>
/// A TLS 1.3 client has finished its handshake before the server has looked at the client's certificate, and .NET on Linux tells it nothing when the server then refuses. So the server says
/// one byte after its look: a client that gets it is in, one that gets the end of the stream instead was refused and can say so.
/// </remarks>
internal sealed class TlsConnection(TlsCredentials credentials, bool isServer, ConnectionDelegate next, Action<string>? refused)
{
    internal static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private const byte Welcome = 1;

    // A TLS record holds 16 KiB; several of them a read and write keep the cost of a call small beside that of the cipher.
    private const int BufferSize = 64 * 1024;

    internal async Task RunAsync(ConnectionContext context)
    {
        var plain = context.Transport;
        var fault = (string?)null;
        var inner = new DuplexPipeStream(plain.Input, plain.Output);
        var ssl = new SslStream(inner, leaveInnerStreamOpen: true);
        await using (ssl.ConfigureAwait(false))
        {
            try
            {
                // Not linked to ConnectionClosed: that the other side hung up is to be seen as the end of the stream, which says at which point it did.
                using var timeout = new CancellationTokenSource(HandshakeTimeout);
                await ShakeHandsAsync(ssl, reason => fault = reason, timeout.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException)
            {
                var reason = fault ?? Reason(exception);
                var message = $"TLS with '{context.RemoteEndPoint}' failed: {reason}.";
                refused?.Invoke(message);
                context.Abort(new ConnectionAbortedException(message, exception));
                throw new AuthenticationException(message, exception);
            }

            context.Transport = new StreamDuplexPipe(
                PipeReader.Create(ssl, new StreamPipeReaderOptions(bufferSize: BufferSize, leaveOpen: true)),
                PipeWriter.Create(ssl, new StreamPipeWriterOptions(minimumBufferSize: BufferSize, leaveOpen: true)));
            try
            {
                await next(context).ConfigureAwait(false);
            }
            finally
            {
                context.Transport = plain;
            }
        }
    }

    private async Task ShakeHandsAsync(SslStream ssl, Action<string> refuse, CancellationToken cancellationToken)
    {
        var signal = new byte[1];
        if (isServer)
        {
            await ssl.AuthenticateAsServerAsync(credentials.ForServer(refuse), cancellationToken).ConfigureAwait(false);
            signal[0] = Welcome;
            await ssl.WriteAsync(signal, cancellationToken).ConfigureAwait(false);
            await ssl.FlushAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        await ssl.AuthenticateAsClientAsync(credentials.ForClient(refuse), cancellationToken).ConfigureAwait(false);
        int read;
        try
        {
            read = await ssl.ReadAsync(signal, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            refuse(RefusedHere(exception.Message));
            throw;
        }

        if (read == 0 || signal[0] != Welcome)
        {
            refuse(RefusedHere(null));
            throw new AuthenticationException("The connection was closed after the handshake.");
        }
    }

    private string RefusedHere(string? detail) =>
        $"the silo refused this process's certificate {credentials.Name}{(detail is null ? "" : $" ({detail})")}; its log says why. Use a current certificate of the cluster's CA";

    private string Reason(Exception exception) => exception switch
    {
        OperationCanceledException => $"no handshake within {HandshakeTimeout.TotalSeconds} s; {OtherSide}",
        _ => $"{exception.Message.TrimEnd('.')}{(exception.InnerException is { } inner ? $": {inner.Message.TrimEnd('.')}" : "")}; {OtherSide}",
    };

    private string OtherSide => isServer ? "a client must use TLS with a certificate of the cluster's CA" : "check that the silo uses TLS too";
}
