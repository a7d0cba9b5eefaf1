namespace Orleans.Joblib;

/// <summary>Wraps one value with its serializer, so that it can travel though its type cannot.</summary>
/// <remarks>joblib 1.6: <c>wrap_non_picklable_objects</c>.</remarks>
public static class Portable
{
    /// <summary>A value that travels in its serializer's bytes.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="serializer">The serializer: a class with a parameterless constructor.</param>
    /// <returns>What a call captures or takes instead of the value; its <see cref="Portable{T}.Value"/> is the value here and its copy on the far side.</returns>
    /// <exception cref="ArgumentException">The serializer's class has no parameterless constructor, or is generic.</exception>
    public static Portable<T> Wrap<T>(T value, ICallSerializer<T> serializer)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(value);
        SerializerTable.Check(serializer);
        return new Portable<T>(value, serializer);
    }
}
