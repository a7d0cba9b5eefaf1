using Grpc.Core;

namespace Orleans.Joblib.Gateway;

/// <summary>Failures as gRPC says them: the message in the status, the heading of docs/errors.md in the trailer <c>joblib-error</c>.</summary>
internal static class GatewayErrors
{
    private const string Trailer = "joblib-error";

    /// <summary>The heading in docs/errors.md; empty when there is none.</summary>
    internal static string CodeOf(Exception exception) => exception is JoblibException { HelpLink: { } link } ? link[(link.IndexOf('#', StringComparison.Ordinal) + 1)..] : "";

    internal static RpcException Of(Exception exception) => exception switch
    {
        RpcException known => known,
        JoblibException => new RpcException(new global::Grpc.Core.Status(StatusCode.FailedPrecondition, exception.Message), new global::Grpc.Core.Metadata { { Trailer, CodeOf(exception) } }),
        ArgumentException => Invalid(exception.Message),
        OperationCanceledException => new RpcException(new global::Grpc.Core.Status(StatusCode.Cancelled, "The call was cancelled.")),
        _ => new RpcException(new global::Grpc.Core.Status(StatusCode.Internal, $"{exception.GetType().Name}: {exception.Message}")),
    };

    internal static RpcException Invalid(string message) => new(new global::Grpc.Core.Status(StatusCode.InvalidArgument, message));

    internal static RpcException NotFound(string message) => new(new global::Grpc.Core.Status(StatusCode.NotFound, message));
}
