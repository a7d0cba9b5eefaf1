using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A delayed call that is more than a bare <see cref="Func{T}"/>: it has arguments, is asynchronous, takes a token or keeps its failure.</summary>
internal abstract class Call<T> : ICallDescription
{
    public abstract Delegate Function { get; }

    public virtual ITuple? Arguments => null;

    internal abstract T Invoke(CancellationToken cancellationToken);

    internal virtual ValueTask<T> InvokeAsync(CancellationToken cancellationToken) => new(Invoke(cancellationToken));

    internal virtual bool TryKeepFailure(Exception exception, CallFailure failure, out T value)
    {
        value = default!;
        return false;
    }
}
