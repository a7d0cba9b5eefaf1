using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>An asynchronous function with its arguments. The worker that starts it stays with it until its task ends, so nJobs bounds asynchronous calls too.</summary>
internal sealed class AsyncFunctionCall<TFunction, TArguments, T>(
    TFunction function, TArguments arguments, Func<TFunction, TArguments, CancellationToken, Task<T>> start) : Call<T>, IFunctionCall<TFunction, TArguments>
    where TFunction : Delegate
    where TArguments : struct, ITuple
{
    public override Delegate Function => function;

    public TFunction TypedFunction => function;

    public TArguments TypedArguments => arguments;

    public override ITuple? Arguments => arguments.Length == 0 ? null : arguments;

    internal override T Invoke(CancellationToken cancellationToken) =>
        CallPump.Run(static (state, token) => state.StartAsync(token), this, cancellationToken);

    internal override ValueTask<T> InvokeAsync(CancellationToken cancellationToken) => new(StartAsync(cancellationToken));

    private Task<T> StartAsync(CancellationToken cancellationToken) =>
        start(function, arguments, cancellationToken) ?? throw new InvalidOperationException("An asynchronous call returned a null task. Return a task that completes.");
}
