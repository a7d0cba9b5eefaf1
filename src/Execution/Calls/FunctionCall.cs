using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A function with its arguments. One class serves every arity: <paramref name="apply"/> is a static lambda that the compiler caches per overload.</summary>
internal sealed class FunctionCall<TFunction, TArguments, T>(TFunction function, TArguments arguments, Func<TFunction, TArguments, CancellationToken, T> apply)
    : Call<T>, IFunctionCall<TFunction, TArguments>
    where TFunction : Delegate
    where TArguments : struct, ITuple
{
    public override Delegate Function => function;

    public TFunction TypedFunction => function;

    public TArguments TypedArguments => arguments;

    public override ITuple? Arguments => arguments.Length == 0 ? null : arguments;

    internal override T Invoke(CancellationToken cancellationToken) => apply(function, arguments, cancellationToken);
}
