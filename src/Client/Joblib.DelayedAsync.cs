namespace Orleans.Joblib;

public static partial class Joblib
{
    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T>(Func<Task<T>> function) =>
        new(new AsyncFunctionCall<Func<Task<T>>, ValueTuple, T>(NotNull(function), default, static (f, _, _) => f()));

    /// <summary>An asynchronous call that watches a token: it is cancelled when the run ends early or the call overran its timeout.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T>(Func<CancellationToken, Task<T>> function) =>
        new(new AsyncFunctionCall<Func<CancellationToken, Task<T>>, ValueTuple, T>(NotNull(function), default, static (f, _, token) => f(token)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T>(Func<T1, Task<T>> function, T1 argument1) =>
        new(new AsyncFunctionCall<Func<T1, Task<T>>, ValueTuple<T1>, T>(NotNull(function), new ValueTuple<T1>(argument1), static (f, a, _) => f(a.Item1)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T>(Func<T1, T2, Task<T>> function, T1 argument1, T2 argument2) =>
        new(new AsyncFunctionCall<Func<T1, T2, Task<T>>, (T1, T2), T>(NotNull(function), (argument1, argument2), static (f, a, _) => f(a.Item1, a.Item2)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T3, T>(Func<T1, T2, T3, Task<T>> function, T1 argument1, T2 argument2, T3 argument3) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, Task<T>>, (T1, T2, T3), T>(NotNull(function), (argument1, argument2, argument3), static (f, a, _) => f(a.Item1, a.Item2, a.Item3)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T3, T4, T>(Func<T1, T2, T3, T4, Task<T>> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, Task<T>>, (T1, T2, T3, T4), T>(NotNull(function), (argument1, argument2, argument3, argument4), static (f, a, _) => f(a.Item1, a.Item2, a.Item3, a.Item4)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T3, T4, T5, T>(Func<T1, T2, T3, T4, T5, Task<T>> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, Task<T>>, (T1, T2, T3, T4, T5), T>(NotNull(function), (argument1, argument2, argument3, argument4, argument5), static (f, a, _) => f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <param name="argument6">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T3, T4, T5, T6, T>(Func<T1, T2, T3, T4, T5, T6, Task<T>> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, Task<T>>, (T1, T2, T3, T4, T5, T6), T>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6), static (f, a, _) => f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <typeparam name="T7">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="function">The function; it runs once, on a worker.</param>
    /// <param name="argument1">An argument, handed over as it is.</param>
    /// <param name="argument2">An argument, handed over as it is.</param>
    /// <param name="argument3">An argument, handed over as it is.</param>
    /// <param name="argument4">An argument, handed over as it is.</param>
    /// <param name="argument5">An argument, handed over as it is.</param>
    /// <param name="argument6">An argument, handed over as it is.</param>
    /// <param name="argument7">An argument, handed over as it is.</param>
    /// <returns>The call; nothing has run yet.</returns>
    public static Delayed<T> Delayed<T1, T2, T3, T4, T5, T6, T7, T>(Func<T1, T2, T3, T4, T5, T6, T7, Task<T>> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, T7, Task<T>>, (T1, T2, T3, T4, T5, T6, T7), T>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7), static (f, a, _) => f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7)));

    /// <summary>An asynchronous call to be made later. Its worker stays with it until its task ends.</summary>
    /// <typeparam name="T1">An argument's type.</typeparam>
    /// <typeparam name="T2">An argument's type.</typeparam>
    /// <typeparam name="T3">An argument's type.</typeparam>
    /// <typeparam name="T4">An argument's type.</typeparam>
    /// <typeparam name="T5">An argument's type.</typeparam>
    /// <typeparam name="T6">An argument's type.</typeparam>
    /// <typeparam name="T7">An argument's type.</typeparam>
    /// <typeparam name="T8">An argument's type.</typeparam>
    /// <typeparam name="T">What it returns.</typeparam>
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
    public static Delayed<T> Delayed<T1, T2, T3, T4, T5, T6, T7, T8, T>(Func<T1, T2, T3, T4, T5, T6, T7, T8, Task<T>> function, T1 argument1, T2 argument2, T3 argument3, T4 argument4, T5 argument5, T6 argument6, T7 argument7, T8 argument8) =>
        new(new AsyncFunctionCall<Func<T1, T2, T3, T4, T5, T6, T7, T8, Task<T>>, (T1, T2, T3, T4, T5, T6, T7, T8), T>(NotNull(function), (argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8), static (f, a, _) => f(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6, a.Item7, a.Item8)));
}
