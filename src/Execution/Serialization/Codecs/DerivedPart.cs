using System.Reflection;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What the user's class adds to a collection of the framework that it derives from. Its own constructors do not run.</summary>
internal sealed class DerivedPart<T>
    where T : class
{
    private readonly Action<GraphWriter, object>? _write;
    private readonly Action<GraphReader, object>? _read;
    private readonly ConstructorInfo _constructor;

    /// <param name="collection">The framework's class that <typeparamref name="T"/> is or derives from.</param>
    /// <param name="comparer">What its constructor takes; null for one that takes nothing.</param>
    /// <param name="plan">The fields that <typeparamref name="T"/> adds.</param>
    public DerivedPart(Type collection, Type? comparer, FieldPlan? plan)
    {
        _constructor = collection.GetConstructor(comparer is null ? [] : [comparer])!;
        if (plan is { Fields.Length: > 0 })
        {
            _write = plan.EmitWriter();
            _read = plan.EmitReader();
            Size = plan.Size;
        }
    }

    internal int Size { get; }

    internal T Construct(object? comparer)
    {
        object?[] arguments = _constructor.GetParameters().Length == 0 ? [] : [comparer];
        if (_constructor.DeclaringType == typeof(T))
        {
            return (T)_constructor.Invoke(arguments);
        }

        var value = (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
        _constructor.Invoke(value, arguments);
        return value;
    }

    internal void Write(GraphWriter writer, object value) => _write?.Invoke(writer, value);

    internal void Read(GraphReader reader, object value) => _read?.Invoke(reader, value);
}
