using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>Which codec serves which type. Owned by one encoder or decoder, so that nothing outlives a load context because of it. Thread-safe.</summary>
internal sealed class CodecTable
{
    private static readonly ConcurrentDictionary<Type, bool> Raw = new(
        new Dictionary<Type, bool>
        {
            [typeof(byte)] = true,
            [typeof(sbyte)] = true,
            [typeof(short)] = true,
            [typeof(ushort)] = true,
            [typeof(char)] = true,
            [typeof(int)] = true,
            [typeof(uint)] = true,
            [typeof(long)] = true,
            [typeof(ulong)] = true,
            [typeof(float)] = true,
            [typeof(double)] = true,
            [typeof(Half)] = true,
            [typeof(Int128)] = true,
            [typeof(UInt128)] = true,
            [typeof(Guid)] = true,
            [typeof(bool)] = true,
        });

    private readonly ConcurrentDictionary<Type, ObjectCodec> _objects = new();
    private readonly ConcurrentDictionary<Type, FieldCodec> _fields = new();
    private readonly ConcurrentDictionary<Type, ObjectCodec?> _stored = new();
    private readonly ConcurrentDictionary<DelegateKey, DelegatePlan> _plans = new();
    private readonly ConcurrentDictionary<(Type, Type), ObjectCodec> _serialized = new();

    internal CodecTable(ICodeReferences code, SerializerTable serializers, OrleansSerializers orleans)
    {
        Code = code;
        Serializers = serializers;
        Orleans = orleans;
        ExceptionRoot = new ExceptionRootCodec(this);
    }

    internal ICodeReferences Code { get; }

    internal SerializerTable Serializers { get; }

    internal OrleansSerializers Orleans { get; }

    internal ClosureAnalyzer Analyzer { get; } = new();

    internal ExceptionRootCodec ExceptionRoot { get; }

    /// <summary>A codec for references to a closure, which is not simply an object.</summary>
    internal static FieldCodec ClosureReference(Type type, bool isNested, ClosureUse? use) => Make<FieldCodec>(typeof(ClosureReferenceCodec<>), [type], isNested, use);

    /// <exception cref="RefusedException">Objects of the type cannot travel.</exception>
    internal ObjectCodec ObjectFor(Type type)
    {
        if (_objects.TryGetValue(type, out var known))
        {
            return known;
        }

        RuntimeHelpers.EnsureSufficientExecutionStack();
        return _objects.GetOrAdd(type, CreateObject(type));
    }

    /// <exception cref="RefusedException">Values of the type cannot travel.</exception>
    internal FieldCodec FieldFor(Type type)
    {
        if (_fields.TryGetValue(type, out var known))
        {
            return known;
        }

        RuntimeHelpers.EnsureSufficientExecutionStack();
        return _fields.GetOrAdd(type, CreateField(type));
    }

    internal FieldCodec<T> FieldFor<T>() => (FieldCodec<T>)FieldFor(typeof(T));

    internal DelegatePlan PlanOf(Delegate function)
    {
        var key = DelegateKey.Of(function);
        return _plans.TryGetValue(key, out var plan) ? plan : _plans.GetOrAdd(key, DelegatePlan.Of(function, Analyzer, Code));
    }

    /// <summary>The codec of a type for which a payload names a serializer.</summary>
    internal ObjectCodec SerializedFor(Type type, object serializer) =>
        _serialized.GetOrAdd((type, serializer.GetType()), static (key, instance) => Make<ObjectCodec>(typeof(SerializedCodec<>), [key.Item1], instance), serializer);

    /// <summary>The codec of large arrays of a type, which are not in the payload; null for types that always are.</summary>
    internal ObjectCodec? StoredFor(Type type) => _stored.GetOrAdd(
        type,
        static (type, table) => type.IsArray && table.IsNumbers(type.GetElementType()!) ? new StoredArrayCodec(type) : null,
        this);

    /// <summary>Whether values of a struct are numbers through and through, so that any bytes make a good one.</summary>
    internal static bool IsRaw(Type type)
    {
        if (Raw.TryGetValue(type, out var known))
        {
            return known;
        }

        if (!type.IsValueType || type.IsByRefLike || type.IsPointer || type == typeof(nint) || type == typeof(nuint))
        {
            return false;
        }

        if (type.IsEnum)
        {
            return true;
        }

        // Those of the framework keep promises about their bytes that others rely on; its vectors and such are known by name.
        if (SharedCode.IsShared(type.Assembly)
            && type.Namespace != "System.Numerics" && type.Namespace != "System.Runtime.Intrinsics" && !type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal))
        {
            return false;
        }

        if (type == typeof(System.Numerics.BigInteger) || type.IsDefined(typeof(InlineArrayAttribute)))
        {
            return false;
        }

        var fields = FieldPlan.FieldsOf(type, typeof(ValueType));
        return fields.Length > 0 && fields.All(field => field.FieldType != typeof(bool) && field.FieldType != type && IsRaw(field.FieldType));
    }

    private bool IsNumbers(Type element) => NpyElement.IsElement(element) && (element == typeof(bool) || FieldFor(element).IsRaw);

    private static T Make<T>(Type open, Type[] arguments, params object?[] parameters) =>
        (T)Activator.CreateInstance(
            open.MakeGenericType(arguments), BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, parameters, null)!;

    private FieldCodec CreateField(Type type)
    {
        if (type.IsByRefLike || type.IsPointer || type.IsFunctionPointer || type.IsByRef)
        {
            throw new RefusedException(type, "points into this process's memory", null);
        }

        if (!type.IsValueType)
        {
            return Make<FieldCodec>(typeof(ReferenceCodec<>), [type]);
        }

        if (type.ContainsGenericParameters || type == typeof(void))
        {
            throw new RefusedException(type, "is not a type of values", null);
        }

        if (Serializers.For(type) is { } registered && registered.Type == type)
        {
            return Make<FieldCodec>(typeof(SerializedFieldCodec<>), [type], registered.Serializer);
        }

        if (type == typeof(nint) || type == typeof(nuint) || type == typeof(GCHandle))
        {
            throw new RefusedException(type, "is a handle or an address, which means nothing in another process", null) { Remedy = "Use long for a number" };
        }

        if (ValueCodecs.For(type) is { } known)
        {
            return known;
        }

        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Make<FieldCodec>(typeof(NullableCodec<>), [inner], FieldFor(inner));
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Memory<>) || open == typeof(ReadOnlyMemory<>)))
        {
            return Make<FieldCodec>(open == typeof(Memory<>) ? typeof(WritableMemoryCodec<>) : typeof(MemoryCodec<>), type.GetGenericArguments());
        }

        var under = type.IsEnum ? type.GetEnumUnderlyingType() : type;
        if (under == typeof(int) || under == typeof(uint) || under == typeof(long) || under == typeof(ulong))
        {
            return Make<FieldCodec>(typeof(NumberCodec<>), [type]);
        }

        if (IsRaw(type) || IsFixedBuffer(type))
        {
            return Make<FieldCodec>(typeof(RawCodec<>), [type]);
        }

        if (type.GetCustomAttribute<InlineArrayAttribute>() is { } inline)
        {
            var element = FieldPlan.FieldsOf(type, typeof(ValueType))[0].FieldType;
            return Make<FieldCodec>(typeof(InlineArrayCodec<,>), [type, element], inline.Length, FieldFor(element));
        }

        Refusals.CheckStruct(type);
        if (Orleans.For(type) is { } orleans)
        {
            return Make<FieldCodec>(typeof(OrleansFieldCodec<>), [type], orleans);
        }

        return Make<FieldCodec>(typeof(StructCodec<>), [type], FieldPlan.Of(type, typeof(ValueType), PlainFieldCodec));
    }

    // fixed int numbers[16]: one field, and a size that says how many there are.
    private static bool IsFixedBuffer(Type type) => type.IsDefined(typeof(UnsafeValueTypeAttribute), inherit: false) && type.Name.Contains("e__FixedBuffer", StringComparison.Ordinal);

    private FieldCodec PlainFieldCodec(FieldInfo field) => FieldFor(field.FieldType);

    private ObjectCodec CreateObject(Type type)
    {
        if (type.IsValueType)
        {
            if (Nullable.GetUnderlyingType(type) is not null)
            {
                throw new RefusedException(type, "is never boxed", null);
            }

            return Make<ObjectCodec>(typeof(BoxCodec<>), [type], FieldFor(type));
        }

        if (type == typeof(string))
        {
            return new StringCodec();
        }

        if (type.IsArray)
        {
            var element = type.GetElementType()!;
            return type.IsSZArray
                ? Make<ObjectCodec>(typeof(VectorCodec<>), [element], FieldFor(element))
                : Make<ObjectCodec>(typeof(GridCodec<>), [element], type, FieldFor(element));
        }

        if (type.IsPointer || type.IsByRef || type.IsFunctionPointer || type.ContainsGenericParameters)
        {
            throw new RefusedException(type, "is a pointer or an open type", null);
        }

        if (Serializers.For(type) is { } registered && !typeof(Delegate).IsAssignableFrom(type))
        {
            return SerializedFor(registered.Type, registered.Serializer);
        }

        if (type.IsSubclassOf(typeof(MulticastDelegate)))
        {
            return new DelegateCodec(type, this);
        }

        if (CollectionCodecs.For(type, this) is { } collection)
        {
            return collection;
        }

        if (FrameworkCodecs.For(type, this) is { } framework)
        {
            return framework;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open)
        {
            if (open == typeof(FunctionCall<,,>) || open == typeof(AsyncFunctionCall<,,>))
            {
                return Make<ObjectCodec>(typeof(CallCodec<,,>), type.GetGenericArguments(), type, FieldFor(type.GetGenericArguments()[1]));
            }

            if (open == typeof(MemmappedArray<>) || open == typeof(MemoryStandIn<>))
            {
                var element = type.GetGenericArguments()[0];
                return IsNumbers(element)
                    ? Make<ObjectCodec>(typeof(MemmappedCodec<>), [element])
                    : throw new RefusedException(type, "has elements that are not simply numbers", null);
            }

            if (open == typeof(Portable<>))
            {
                return Make<ObjectCodec>(typeof(PortableCodec<>), type.GetGenericArguments(), this);
            }
        }

        if (type.IsAbstract || type.IsInterface)
        {
            throw new RefusedException(type, "is abstract", null);
        }

        Refusals.CheckClass(type);
        if (Orleans.For(type) is { } orleans)
        {
            return Make<ObjectCodec>(typeof(OrleansCodec<>), [type], orleans);
        }

        if (typeof(Exception).IsAssignableFrom(type))
        {
            return new ExceptionCodec(type, FieldPlan.Of(type, typeof(Exception), PlainFieldCodec), this);
        }

        if (GraphPath.IsClosure(type))
        {
            return new ClosureCodec(type, this);
        }

        // An iterator of the compiler knows what it reads of the closures that it holds.
        var use = ClosureAnalyzer.IsMachine(type) ? Analyzer.UseOf(type) : null;
        return new ClassCodec(
            type,
            FieldPlan.Of(
                type, typeof(object), field => use is not null && GraphPath.IsClosure(field.FieldType) ? ClosureReference(field.FieldType, isNested: false, use) : FieldFor(field.FieldType)));
    }
}
