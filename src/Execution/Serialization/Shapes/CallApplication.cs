using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What applies a function to its arguments, made from their types: <c>Joblib.Delayed</c>'s own lambdas live in the client and need not travel.</summary>
internal static class CallApplication
{
    /// <summary><c>(f, a, token) => f(a.Item1, a.Item2, …)</c>, with the token where the function takes one and there is no argument for it.</summary>
    internal static Func<TFunction, TArguments, CancellationToken, T> Of<TFunction, TArguments, T>()
        where TFunction : Delegate
        where TArguments : struct, ITuple
    {
        var code = Emit(typeof(TFunction), typeof(TArguments), out var result);
        if (result == typeof(void) && typeof(T) == typeof(NoResult))
        {
            return (Func<TFunction, TArguments, CancellationToken, T>)(object)NoResultOf(code.CreateDelegate<Action<TFunction, TArguments, CancellationToken>>());
        }

        return result == typeof(T)
            ? code.CreateDelegate<Func<TFunction, TArguments, CancellationToken, T>>()
            : throw PayloadReader.Malformed($"'{typeof(TFunction)}' does not return '{typeof(T)}'");
    }

    /// <summary>The same for a function that returns a task.</summary>
    internal static Func<TFunction, TArguments, CancellationToken, Task<T>> AsyncOf<TFunction, TArguments, T>()
        where TFunction : Delegate
        where TArguments : struct, ITuple
    {
        var code = Emit(typeof(TFunction), typeof(TArguments), out var result);
        if (result == typeof(Task) && typeof(T) == typeof(NoResult))
        {
            var start = code.CreateDelegate<Func<TFunction, TArguments, CancellationToken, Task>>();
            return (Func<TFunction, TArguments, CancellationToken, Task<T>>)(object)NoResultOf(start);
        }

        return result == typeof(Task<T>)
            ? code.CreateDelegate<Func<TFunction, TArguments, CancellationToken, Task<T>>>()
            : throw PayloadReader.Malformed($"'{typeof(TFunction)}' does not return '{typeof(Task<T>)}'");
    }

    private static Func<TFunction, TArguments, CancellationToken, NoResult> NoResultOf<TFunction, TArguments>(Action<TFunction, TArguments, CancellationToken> apply) =>
        (function, arguments, token) =>
        {
            apply(function, arguments, token);
            return default;
        };

    private static Func<TFunction, TArguments, CancellationToken, Task<NoResult>> NoResultOf<TFunction, TArguments>(
        Func<TFunction, TArguments, CancellationToken, Task> start) =>
        async (function, arguments, token) =>
        {
            var task = start(function, arguments, token)
                ?? throw new InvalidOperationException("An asynchronous call returned a null task. Return a task that completes.");
            await task.ConfigureAwait(false);
            return default;
        };

    private static DynamicMethod Emit(Type function, Type arguments, out Type result)
    {
        var invoke = function.GetMethod("Invoke") ?? throw PayloadReader.Malformed($"'{function}' is no delegate");
        var parameters = invoke.GetParameters();
        result = invoke.ReturnType;
        var items = new List<FieldInfo[]>();
        Flatten(arguments, [], items);
        var takesToken = parameters.Length == items.Count + 1 && parameters[^1].ParameterType == typeof(CancellationToken);
        if (!takesToken && parameters.Length != items.Count)
        {
            throw PayloadReader.Malformed($"'{function}' takes another number of arguments than '{arguments}' has");
        }

        var code = new DynamicMethod(
            "Apply", result == typeof(void) ? typeof(void) : result, [function, arguments, typeof(CancellationToken)], typeof(CallApplication).Module, skipVisibility: true);
        var il = code.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i][^1].FieldType != parameters[i].ParameterType)
            {
                throw PayloadReader.Malformed($"'{function}' does not take a '{arguments}'");
            }

            il.Emit(OpCodes.Ldarga_S, (byte)1);
            foreach (var field in items[i][..^1])
            {
                il.Emit(OpCodes.Ldflda, field);
            }

            il.Emit(OpCodes.Ldfld, items[i][^1]);
        }

        if (takesToken)
        {
            il.Emit(OpCodes.Ldarg_2);
        }

        il.Emit(OpCodes.Callvirt, invoke);
        il.Emit(OpCodes.Ret);
        return code;
    }

    // Beyond seven items a ValueTuple keeps the others in a tuple of its own.
    private static void Flatten(Type tuple, FieldInfo[] way, List<FieldInfo[]> items)
    {
        if (!tuple.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal))
        {
            throw PayloadReader.Malformed($"arguments in a '{tuple}'");
        }

        foreach (var field in tuple.GetFields().OrderBy(field => field.MetadataToken))
        {
            if (field.Name == "Rest")
            {
                Flatten(field.FieldType, [.. way, field], items);
            }
            else
            {
                items.Add([.. way, field]);
            }
        }
    }
}
