namespace Orleans.Joblib;

/// <summary>A call that has not been made yet: a function and its arguments, run once when a worker reaches it.</summary>
/// <typeparam name="T">What the call returns; <see cref="NoResult"/> for a function that returns nothing.</typeparam>
/// <remarks>
/// Made by <c>Joblib.Delayed</c>; making one runs nothing. Immutable and safe to share between threads; running the same value twice calls the function twice.
/// <c>default</c> is not a call: a run that meets it fails with <see cref="ArgumentException"/> naming its index. joblib 1.6: <c>delayed</c>.
/// </remarks>
public readonly struct Delayed<T> : IEquatable<Delayed<T>>
{
    // A Func<T> as the user gave it, or a Call<T>: the common form costs no object of ours.
    private readonly object? _call;

    internal Delayed(Func<T> function) => _call = function;

    internal Delayed(Call<T> call) => _call = call;

    internal bool IsNull => _call is null;

    /// <summary>The call as it is kept: a <see cref="Func{T}"/> or a <see cref="Call{T}"/>.</summary>
    internal object? Form => _call;

    internal Delegate Function => _call as Delegate ?? ((ICallDescription)_call!).Function;

    internal System.Runtime.CompilerServices.ITuple? Arguments => (_call as ICallDescription)?.Arguments;

    /// <summary>The same call with its failure as a value: a run of it never aborts because of it.</summary>
    /// <returns>A call that returns a <see cref="CallOutcome{T}"/>, whether <typeparamref name="T"/>'s call returned, threw or overran its timeout.</returns>
    public Delayed<CallOutcome<T>> AsOutcome() => new(new OutcomeCall<T>(this));

    /// <inheritdoc/>
    public bool Equals(Delayed<T> other) => ReferenceEquals(_call, other._call);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Delayed<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _call?.GetHashCode() ?? 0;

    /// <summary>The function and its arguments as text, for messages.</summary>
    public override string ToString() => CallText.Of(_call);

    /// <summary>Whether both are the same delayed call.</summary>
    public static bool operator ==(Delayed<T> left, Delayed<T> right) => left.Equals(right);

    /// <summary>Whether the two are different delayed calls.</summary>
    public static bool operator !=(Delayed<T> left, Delayed<T> right) => !left.Equals(right);

    internal T Invoke(CancellationToken cancellationToken) =>
        _call is Func<T> function ? function() : ((Call<T>)_call!).Invoke(cancellationToken);

    internal ValueTask<T> InvokeAsync(CancellationToken cancellationToken) =>
        _call is Func<T> function ? new(function()) : ((Call<T>)_call!).InvokeAsync(cancellationToken);

    internal bool TryKeepFailure(Exception exception, CallFailure failure, out T value)
    {
        if (_call is Call<T> call)
        {
            return call.TryKeepFailure(exception, failure, out value);
        }

        value = default!;
        return false;
    }
}
