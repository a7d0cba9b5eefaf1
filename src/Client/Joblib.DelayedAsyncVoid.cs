namespace Orleans.Joblib;

public static partial class Joblib
{
    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed(Func<Task> function) =>
        new(new AsyncFunctionCall<Func<Task>, ValueTuple, NoResult>(NotNull(function), default, static (f, _, _) => WithoutResult(f())));

    /// <summary>An asynchronous call without a result that watches a token: it is cancelled when the run ends early or the call overran its timeout.</summary>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed(Func<CancellationToken, Task> function) =>
        new(new AsyncFunctionCall<Func<CancellationToken, Task>, ValueTuple, NoResult>(
            NotNull(function), default, static (f, _, token) => WithoutResult(f(token))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1>(Func<T1, Task> function, T1 argument1) =>
        new(new AsyncFunctionCall<Func<T1, Task>, ValueTuple<T1>, NoResult>(NotNull(function), new ValueTuple<T1>(argument1), static (f, a, _) => WithoutResult(f(a.Item1))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2>(Func<T1, T2, Task> function, T1 argument1, T2 argument2) =>
        new(new AsyncFunctionCall<Func<T1, T2, Task>, (T1, T2), NoResult>(NotNull(function), (argument1, argument2), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<NoResult> Delayed<T1, T2, T3>(Func<T1, T2, T3, Task> function, T1 argument1, T2 argument2, T3 argument3) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, Task>, (T1, T2, T3), NoResult>(NotNull(function), (argument1, argument2, argument3), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
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
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4>(Func<T1, T2, T3, T4, Task> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, Task>, (T1, T2, T3, T4), NoResult>(NotNull(function), (argument1, argument2, argument3, argument4), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3, a.Item4))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
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
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5>(Func<T1, T2, T3, T4, T5, Task> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, Task>, (T1, T2, T3, T4, T5), NoResult>(NotNull(function), (argument1, argument2, argument3, argument4, argument5), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
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
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6>(Func<T1, T2, T3, T4, T5, T6, Task> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, Task>, (T1, T2, T3, T4, T5, T6), NoResult>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
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
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6, T7>(Func<T1, T2, T3, T4, T5, T6, T7, Task> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, T7, Task>, (T1, T2, T3, T4, T5, T6, T7), NoResult>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7))));

    /// <summary>An asynchronous call without a result, to be made later. Its worker stays with it until its task ends.</summary>
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
    public static Delayed<NoResult> Delayed<T1, T2, T3, T4, T5, T6, T7, T8>(Func<T1, T2, T3, T4, T5, T6, T7, T8, Task> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7, T8 argument8) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, T7, T8, Task>, (T1, T2, T3, T4, T5, T6, T7, T8), NoResult>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8), static (f, a, _) => WithoutResult(f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7, a.Item8))));

    private static async Task<NoResult> WithoutResult(Task task)
    {
        // On the worker's pump, if there is one: the call goes on where it began.
#pragma warning disable CA2007
        await task;
#pragma warning restore CA2007
        return default;
    }
}
