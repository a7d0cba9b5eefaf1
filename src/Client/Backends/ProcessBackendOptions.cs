using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Settings of worker processes, for <see cref="LokyBackendOptions"/> and <see cref="MultiprocessingBackendOptions"/>.</summary>
public abstract record ProcessBackendOptions : BackendOptions
{
    private protected ProcessBackendOptions()
    {
    }

    /// <summary>A function that each worker calls before its first batch, to load a model into a static field, say; one that returns a task is awaited. Default: none.</summary>
    /// <remarks>It travels like a call. What it throws fails the run. joblib: <c>initializer</c>.</remarks>
    public Delegate? Initializer { get; init; }

    /// <summary>The arguments of <see cref="Initializer"/>. Default: none.</summary>
    /// <remarks>joblib: <c>initargs</c>.</remarks>
    public IReadOnlyList<object?> InitArgs { get; init; } = [];

    /// <summary>A worker that occupies so many bytes more than after its first batch is replaced, with a warning; looked at once a second, after a batch. 1 MB to 1 TB. Default: 300 MB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    /// <remarks>loky: <c>_MAX_MEMORY_LEAK_SIZE</c>, a constant there.</remarks>
    public long MaxMemoryGrowth
    {
        get;
        init => field = value is >= 1_000_000 and <= 1_000_000_000_000
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"MaxMemoryGrowth must not be '{value}'. Use 1,000,000 to 1,000,000,000,000 bytes.");
    } = PoolSettings.DefaultMaxMemoryGrowth;

    /// <summary>The initializer as a batch of one call; null for none.</summary>
    /// <exception cref="ArgumentException">The arguments are not the function's.</exception>
    /// <exception cref="CannotTravelException">It holds what cannot leave this process.</exception>
    internal byte[]? EncodeInitializer(PayloadEncoder encoder)
    {
        if (Initializer is not { } initializer)
        {
            return InitArgs.Count == 0 ? null : throw new ArgumentException("InitArgs are given without an Initializer. Give both, or neither.");
        }

        var parameters = initializer.GetType().GetMethod("Invoke")!.GetParameters();
        object?[] arguments = [.. InitArgs];
        if (parameters.Length != arguments.Length || parameters.Zip(arguments).Any(pair => !Fits(pair.First.ParameterType, pair.Second)))
        {
            throw new ArgumentException(
                $"The initializer takes ({string.Join(", ", parameters.Select(parameter => parameter.ParameterType.Name))}) and InitArgs are ({string.Join(", ", arguments.Select(argument => argument?.GetType().Name ?? "null"))}). Give one argument for each parameter, of its type.");
        }

        return encoder.EncodeCalls<NoResult>([Joblib.Delayed(InvokeAsync, initializer, arguments)]);
    }

    private static bool Fits(Type parameter, object? argument) =>
        argument is null ? !parameter.IsValueType || Nullable.GetUnderlyingType(parameter) is not null : parameter.IsInstanceOfType(argument);

    private static async Task InvokeAsync(Delegate initializer, object?[] arguments)
    {
        object? result;
        try
        {
            result = initializer.DynamicInvoke(arguments);
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } cause)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
            throw;
        }

        if (result is Task task)
        {
            await task.ConfigureAwait(false);
        }
    }
}
