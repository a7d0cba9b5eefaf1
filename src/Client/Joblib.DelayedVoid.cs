namespace Orleans.Joblib;

public static partial class Joblib
{
    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed(Action function) =>
        new(new FunctionCall<Action, ValueTuple, NoResult>(
            NotNull(function), default, static (f, _, _) =>
            {
                f();
                return default;
            }));

    /// <summary>A call that watches a token and returns nothing: the token is cancelled when the run ends early or the call overran its timeout.</summary>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed(Action<CancellationToken> function) =>
        new(new FunctionCall<Action<CancellationToken>, ValueTuple, NoResult>(
            NotNull(function), default, static (f, _, token) =>
            {
                f(token);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1>(Action<T1> function, T1 argument1) =>
        new(new FunctionCall<Action<T1>, ValueTuple<T1>, NoResult>(
            NotNull(function), new ValueTuple<T1>(argument1), static (f, a, _) =>
            {
                f(a.Item1);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2>(Action<T1, T2> function, T1 argument1, T2 argument2) =>
        new(new FunctionCall<Action<T1, T2>, (T1, T2), NoResult>(
            NotNull(function), (argument1, argument2), static (f, a, _) =>
            {
                f(a.Item1, a.Item2);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3>(Action<T1, T2, T3> function, T1 argument1, T2 argument2, T3 argument3) =>
        new(new FunctionCall<Action<T1, T2, T3>, (T1, T2, T3), NoResult>(
            NotNull(function), (argument1, argument2, argument3), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4>(Action<T1, T2, T3, T4> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4) =>
        new(new FunctionCall<Action<T1, T2, T3, T4>, (T1, T2, T3, T4), NoResult>(
            NotNull(function), (argument1, argument2, argument3, argument4), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3, a.Item4);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5>(Action<T1, T2, T3, T4, T5> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5) =>
        new(new FunctionCall<Action<T1, T2, T3, T4, T5>, (T1, T2, T3, T4, T5), NoResult>(
            NotNull(function), (argument1, argument2, argument3, argument4, argument5), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <param name="argument6">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6>(Action<T1, T2, T3, T4, T5, T6> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6) =>
        new(new FunctionCall<Action<T1, T2, T3, T4, T5, T6>, (T1, T2, T3, T4, T5, T6), NoResult>(
            NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <typeparam name="T7">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <param name="argument6">An argument, handed over as it is.</param>
    /// <param name="argument7">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6, T7>(Action<T1, T2, T3, T4, T5, T6, T7> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7) =>
        new(new FunctionCall<Action<T1, T2, T3, T4, T5, T6, T7>, (T1, T2, T3, T4, T5, T6, T7), NoResult>(
            NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7);
                return default;
            }));

    /// <summary>A call that returns nothing, to be made later.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <typeparam name="T7">An argument's type.</typeparam>
    /// <typeparam name="T8">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <param name="argument6">An argument, handed over as it is.</param>
    /// <param name="argument7">An argument, handed over as it is.</param>
    /// <param name="argument8">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6, T7, T8>(Action<T1, T2, T3, T4, T5, T6, T7, T8> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7, T8 argument8) =>
        new(new FunctionCall<Action<T1, T2, T3, T4, T5, T6, T7, T8>, (T1, T2, T3, T4, T5, T6, T7, T8), NoResult>(
            NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8), static (f, a, _) =>
            {
                f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7, a.Item8);
                return default;
            }));
}
