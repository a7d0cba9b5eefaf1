using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Orleans.Joblib;

/// <summary>What <see cref="Exception"/> keeps to itself.</summary>
internal static class ExceptionParts
{
    internal static string MessageOf(Exception exception)
    {
        try
        {
            return exception.Message ?? "";
        }
        catch (Exception another)
        {
            return $"(its Message threw {another.GetType().Name})";
        }
    }

    internal static string? StackOf(Exception exception)
    {
        try
        {
            return exception.StackTrace;
        }
        catch (Exception)
        {
            return null;
        }
    }

    internal static void SetStack(Exception exception, string stack)
    {
        if (exception.StackTrace is null)
        {
            ExceptionDispatchInfo.SetRemoteStackTrace(exception, stack);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = ".ctor")]
    internal static extern void Construct(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_message")]
    internal static extern ref string? Message(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_innerException")]
    internal static extern ref Exception? Inner(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_data")]
    internal static extern ref System.Collections.IDictionary? Data(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_helpURL")]
    internal static extern ref string? HelpLink(Exception exception);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_source")]
    internal static extern ref string? Source(Exception exception);
}
