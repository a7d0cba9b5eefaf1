using System.Runtime.ExceptionServices;

namespace Orleans.Joblib;

/// <summary>What became of one call: its value, or the exception that it ended with.</summary>
/// <typeparam name="T">What the call returns.</typeparam>
/// <remarks>Asked for with <see cref="Delayed{T}.AsOutcome"/>. Immutable.</remarks>
public readonly record struct CallOutcome<T> : ICallOutcome
{
    private readonly T _value;

    internal CallOutcome(T value) => _value = value;

    internal CallOutcome(Exception exception, CallFailure failure)
    {
        _value = default!;
        Exception = exception;
        Failure = failure;
    }

    /// <summary>Whether the call returned.</summary>
    public bool IsSuccess => Exception is null;

    /// <summary>The exception that the call ended with; null when it returned.</summary>
    public Exception? Exception { get; }

    /// <summary>Index, arguments and place of a call that failed; null when it returned.</summary>
    public CallFailure? Failure { get; }

    /// <summary>What the call returned.</summary>
    /// <exception cref="System.Exception">The call failed: its own exception, with the stack that it was thrown with.</exception>
    public T Value
    {
        get
        {
            if (Exception is not null)
            {
                ExceptionDispatchInfo.Throw(Exception);
            }

            return _value;
        }
    }
}
