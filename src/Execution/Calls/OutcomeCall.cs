using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A call whose failure is its value. The batch keeps a failure through <see cref="TryKeepFailure"/>, so a timeout is kept the same way as a throw.</summary>
internal sealed class OutcomeCall<T>(Delayed<T> call) : Call<CallOutcome<T>>
{
    /// <summary>The call without its outcome.</summary>
    internal Delayed<T> Inner => call;

    public override Delegate Function => call.Function;

    public override ITuple? Arguments => call.Arguments;

    internal override CallOutcome<T> Invoke(CancellationToken cancellationToken) => new(call.Invoke(cancellationToken));

    internal override async ValueTask<CallOutcome<T>> InvokeAsync(CancellationToken cancellationToken) =>
        new(await call.InvokeAsync(cancellationToken).ConfigureAwait(false));

    internal override bool TryKeepFailure(Exception exception, CallFailure failure, out CallOutcome<T> value)
    {
        value = new CallOutcome<T>(exception, failure);
        return true;
    }
}
