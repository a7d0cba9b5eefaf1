namespace Orleans.Joblib;

/// <summary>The parts of a call with arguments, for those that send it elsewhere.</summary>
internal interface IFunctionCall<out TFunction, TArguments>
    where TFunction : Delegate
    where TArguments : struct
{
    TFunction TypedFunction { get; }

    TArguments TypedArguments { get; }
}
