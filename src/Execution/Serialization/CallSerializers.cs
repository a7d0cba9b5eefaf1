namespace Orleans.Joblib;

/// <summary>Serializers for types that calls carry to other processes, in place of Orleans.Joblib's own way.</summary>
/// <remarks>joblib 1.6: <c>set_loky_pickler</c>, <c>register_reducer</c>; for one value, <c>wrap_non_picklable_objects</c>: <see cref="Portable"/>.</remarks>
public static class CallSerializers
{
    /// <summary>Has values of type <typeparamref name="T"/> written by a serializer from now on, in every run of this process and in the results of its calls.</summary>
    /// <typeparam name="T">The type: a class, a struct, or an abstract class or interface for everything that implements it and has no serializer of its own.</typeparam>
    /// <param name="serializer">The serializer: a class with a parameterless constructor. The last one registered for a type counts.</param>
    /// <exception cref="ArgumentException">The serializer's class has no parameterless constructor, or is generic.</exception>
    /// <remarks>Thread-safe. A run that is under way keeps the serializers that it began with.</remarks>
    public static void Register<T>(ICallSerializer<T> serializer)
    {
        SerializerTable.Check(serializer);
        SerializerTable.OfProcess.Add(typeof(T), serializer);
    }
}
