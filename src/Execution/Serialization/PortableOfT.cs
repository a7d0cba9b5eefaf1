namespace Orleans.Joblib;

/// <summary>A value that travels in its serializer's bytes: made by <see cref="Portable.Wrap"/>. Immutable.</summary>
/// <typeparam name="T">The value's type.</typeparam>
public sealed class Portable<T>
{
    internal Portable(T value, ICallSerializer<T> serializer)
    {
        Value = value;
        Serializer = serializer;
    }

    /// <summary>The value, or its copy on the far side.</summary>
    public T Value { get; }

    internal ICallSerializer<T> Serializer { get; }
}
