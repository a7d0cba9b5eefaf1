using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Which call of a run failed, with what, and where: attached to the exception that reaches the caller.</summary>
/// <param name="CallIndex">The call's place in the sequence, from 0.</param>
/// <param name="Call">The function and its arguments as text, each argument cut at 80 characters.</param>
/// <param name="StackTrace">The stack on the worker, as text; null for a call that was given up.</param>
/// <param name="Worker">The machine, process and worker that made the call.</param>
public sealed record CallFailure(long CallIndex, string Call, string? StackTrace, string Worker)
{
    private static readonly ConditionalWeakTable<Exception, CallFailure> Attached = [];

    internal void AttachTo(Exception exception) => Attached.AddOrUpdate(exception, this);

    internal static CallFailure? Of(Exception exception) => Attached.TryGetValue(exception, out var failure) ? failure : null;

    internal static CallFailure Describe(Exception exception, long callIndex, string call) =>
        Describe(exception, callIndex, call, Thread.CurrentThread.Name);

    internal static CallFailure Describe(Exception exception, long callIndex, string call, string? worker)
    {
        var failure = new CallFailure(callIndex, call, ExceptionParts.StackOf(exception), $"{Environment.MachineName}/{Environment.ProcessId}/{worker ?? "caller"}");
        failure.AttachTo(exception);
        return failure;
    }
}
