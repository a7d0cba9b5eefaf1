using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Reflection;

namespace Orleans.Joblib;

#pragma warning disable CA1859 // The makers are called by reflection, which sees one type.

/// <summary>The framework's collections, and the user's classes derived from lists and hash tables. Sorted ones, linked ones and immutable trees are ordinary classes.</summary>
internal static class CollectionCodecs
{
    private static readonly (Type Open, string Maker)[] Derivable =
    [
        (typeof(List<>), nameof(List)),
        (typeof(Dictionary<,>), nameof(Dictionary)),
        (typeof(HashSet<>), nameof(HashSet)),
        (typeof(ConcurrentDictionary<,>), nameof(ConcurrentDictionary)),
        (typeof(OrderedDictionary<,>), nameof(OrderedDictionary)),
    ];

    private static readonly (Type Open, string Maker)[] Exact =
    [
        (typeof(Queue<>), nameof(Queue)),
        (typeof(Stack<>), nameof(Stack)),
        (typeof(ConcurrentQueue<>), nameof(ConcurrentQueue)),
        (typeof(ConcurrentStack<>), nameof(ConcurrentStack)),
        (typeof(ConcurrentBag<>), nameof(ConcurrentBag)),
        (typeof(ImmutableDictionary<,>), nameof(ImmutableDictionary)),
        (typeof(ImmutableHashSet<>), nameof(ImmutableHashSet)),
    ];

    internal static ObjectCodec? For(Type type, CodecTable codecs)
    {
        if (type == typeof(Hashtable))
        {
            return Hashtable(codecs);
        }

        if (type == typeof(BitArray))
        {
            return BitArray();
        }

        for (var part = type; part is not null && part != typeof(object); part = part.BaseType)
        {
            if (!part.IsGenericType)
            {
                continue;
            }

            var open = part.GetGenericTypeDefinition();
            foreach (var (collection, maker) in Derivable)
            {
                if (open == collection && !type.IsAbstract)
                {
                    return Make(maker, [type, .. part.GetGenericArguments()], codecs);
                }
            }

            // The classes behind frozen collections are the framework's own choice, made anew on the far side.
            if (open == typeof(FrozenDictionary<,>))
            {
                return Make(nameof(FrozenDictionary), part.GetGenericArguments(), codecs);
            }

            if (open == typeof(FrozenSet<>))
            {
                return Make(nameof(FrozenSet), part.GetGenericArguments(), codecs);
            }

            if (open == typeof(Lookup<,>))
            {
                return Make(nameof(Lookup), part.GetGenericArguments(), codecs);
            }

            foreach (var (collection, maker) in Exact)
            {
                if (open == collection && part == type)
                {
                    return Make(maker, part.GetGenericArguments(), codecs);
                }
            }
        }

        return null;
    }

    private static ObjectCodec Make(string maker, Type[] arguments, CodecTable codecs)
    {
        try
        {
            return (ObjectCodec)typeof(CollectionCodecs).GetMethod(maker, BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(arguments)
                .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [codecs], null)!;
        }
        catch (ArgumentException exception)
        {
            throw new RefusedException(arguments[0], $"breaks its type parameters' constraints ({exception.Message})", null);
        }
    }

    private static DerivedPart<T> Derived<T>(Type collection, Type? comparer, CodecTable codecs)
        where T : class
    {
        Refusals.CheckClass(typeof(T));
        return new DerivedPart<T>(
            collection, comparer, typeof(T) == collection ? null : FieldPlan.Of(typeof(T), collection, field => codecs.FieldFor(field.FieldType)));
    }

    private static ObjectCodec List<TList, T>(CodecTable codecs)
        where TList : List<T> => new ListCodec<TList, T>(codecs.FieldFor<T>(), Derived<TList>(typeof(List<T>), null, codecs));

    private static ObjectCodec Dictionary<TTable, TKey, TValue>(CodecTable codecs)
        where TTable : Dictionary<TKey, TValue>
        where TKey : notnull =>
        new HashCodec<TTable, TKey, KeyValuePair<TKey, TValue>>(
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TValue>>(),
            new(table => table.Comparer, typeof(IEqualityComparer<TKey>), table => [.. table], (table, pair) => pair.Key is not null && table.TryAdd(pair.Key, pair.Value)),
            Derived<TTable>(typeof(Dictionary<TKey, TValue>), typeof(IEqualityComparer<TKey>), codecs),
            codecs);

    private static ObjectCodec OrderedDictionary<TTable, TKey, TValue>(CodecTable codecs)
        where TTable : OrderedDictionary<TKey, TValue>
        where TKey : notnull =>
        new HashCodec<TTable, TKey, KeyValuePair<TKey, TValue>>(
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TValue>>(),
            new(table => table.Comparer, typeof(IEqualityComparer<TKey>), table => [.. table], (table, pair) => pair.Key is not null && table.TryAdd(pair.Key, pair.Value)),
            Derived<TTable>(typeof(OrderedDictionary<TKey, TValue>), typeof(IEqualityComparer<TKey>), codecs),
            codecs);

    private static ObjectCodec ConcurrentDictionary<TTable, TKey, TValue>(CodecTable codecs)
        where TTable : ConcurrentDictionary<TKey, TValue>
        where TKey : notnull =>
        new HashCodec<TTable, TKey, KeyValuePair<TKey, TValue>>(
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TValue>>(),
            new(table => table.Comparer, typeof(IEqualityComparer<TKey>), table => table.ToArray(), (table, pair) => pair.Key is not null && table.TryAdd(pair.Key, pair.Value)),
            Derived<TTable>(typeof(ConcurrentDictionary<TKey, TValue>), typeof(IEqualityComparer<TKey>), codecs),
            codecs);

    private static ObjectCodec HashSet<TTable, T>(CodecTable codecs)
        where TTable : HashSet<T> =>
        new HashCodec<TTable, T, T>(
            codecs.FieldFor<T>(),
            codecs.FieldFor<T>(),
            new(table => table.Comparer, typeof(IEqualityComparer<T>), table => [.. table], (table, item) => table.Add(item)),
            Derived<TTable>(typeof(HashSet<T>), typeof(IEqualityComparer<T>), codecs),
            codecs);

    private static ObjectCodec Hashtable(CodecTable codecs) =>
        new HashCodec<Hashtable, object, KeyValuePair<object, object?>>(
            codecs.FieldFor<object>(),
            codecs.FieldFor<KeyValuePair<object, object?>>(),
            new(
                HashtableComparer,
                typeof(IEqualityComparer),
                table => [.. table.Cast<DictionaryEntry>().Select(entry => new KeyValuePair<object, object?>(entry.Key, entry.Value))],
                (table, pair) =>
                {
                    if (pair.Key is null || table.ContainsKey(pair.Key))
                    {
                        return false;
                    }

                    table.Add(pair.Key, pair.Value);
                    return true;
                }),
            Derived<Hashtable>(typeof(Hashtable), typeof(IEqualityComparer), codecs),
            codecs);

    private static object? HashtableComparer(Hashtable table) =>
        typeof(Hashtable).GetProperty("EqualityComparer", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(table);

    private static ObjectCodec Queue<T>(CodecTable codecs) => new SequenceCodec<Queue<T>, T>(codecs.FieldFor<T>(), queue => queue.ToArray(), (queue, item) => queue.Enqueue(item), () => new());

    private static ObjectCodec Stack<T>(CodecTable codecs) =>
        new SequenceCodec<Stack<T>, T>(codecs.FieldFor<T>(), stack => Reversed(stack.ToArray()), (stack, item) => stack.Push(item), () => new());

    private static ObjectCodec ConcurrentQueue<T>(CodecTable codecs) =>
        new SequenceCodec<ConcurrentQueue<T>, T>(codecs.FieldFor<T>(), queue => queue.ToArray(), (queue, item) => queue.Enqueue(item), () => new());

    private static ObjectCodec ConcurrentStack<T>(CodecTable codecs) =>
        new SequenceCodec<ConcurrentStack<T>, T>(codecs.FieldFor<T>(), stack => Reversed(stack.ToArray()), (stack, item) => stack.Push(item), () => new());

    private static ObjectCodec ConcurrentBag<T>(CodecTable codecs) =>
        new SequenceCodec<ConcurrentBag<T>, T>(codecs.FieldFor<T>(), bag => Reversed(bag.ToArray()), (bag, item) => bag.Add(item), () => new());

    private static ObjectCodec ImmutableDictionary<TKey, TValue>(CodecTable codecs)
        where TKey : notnull =>
        new BuiltCodec<ImmutableDictionary<TKey, TValue>, TKey, KeyValuePair<TKey, TValue>>(
            typeof(ImmutableDictionary<TKey, TValue>),
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TValue>>(),
            2,
            table => [table.KeyComparer, table.ValueComparer],
            table => [.. table],
            (comparers, items) => System.Collections.Immutable.ImmutableDictionary.CreateRange(
                (IEqualityComparer<TKey>?)comparers[0], (IEqualityComparer<TValue>?)comparers[1], items),
            codecs);

    private static ObjectCodec ImmutableHashSet<T>(CodecTable codecs) =>
        new BuiltCodec<ImmutableHashSet<T>, T, T>(
            typeof(ImmutableHashSet<T>),
            codecs.FieldFor<T>(),
            codecs.FieldFor<T>(),
            1,
            table => [table.KeyComparer],
            table => [.. table],
            (comparers, items) => System.Collections.Immutable.ImmutableHashSet.CreateRange((IEqualityComparer<T>?)comparers[0], items),
            codecs);

    private static ObjectCodec FrozenDictionary<TKey, TValue>(CodecTable codecs)
        where TKey : notnull =>
        new BuiltCodec<FrozenDictionary<TKey, TValue>, TKey, KeyValuePair<TKey, TValue>>(
            typeof(FrozenDictionary<TKey, TValue>),
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TValue>>(),
            1,
            table => [table.Comparer],
            table => [.. table],
            (comparers, items) => items.ToFrozenDictionary((IEqualityComparer<TKey>?)comparers[0]),
            codecs);

    private static ObjectCodec FrozenSet<T>(CodecTable codecs) =>
        new BuiltCodec<FrozenSet<T>, T, T>(
            typeof(FrozenSet<T>),
            codecs.FieldFor<T>(),
            codecs.FieldFor<T>(),
            1,
            table => [table.Comparer],
            table => [.. table],
            (comparers, items) => items.ToFrozenSet((IEqualityComparer<T>?)comparers[0]),
            codecs);

    private static ObjectCodec Lookup<TKey, TElement>(CodecTable codecs) =>
        new BuiltCodec<ILookup<TKey, TElement>, TKey, KeyValuePair<TKey, TElement[]>>(
            typeof(Lookup<TKey, TElement>),
            codecs.FieldFor<TKey>(),
            codecs.FieldFor<KeyValuePair<TKey, TElement[]>>(),
            1,
            table => [table.GetType().BaseType!.GetField("_comparer", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(table)
                ?? table.GetType().GetField("_comparer", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(table)],
            table => [.. table.Select(group => new KeyValuePair<TKey, TElement[]>(group.Key, [.. group]))],
            (comparers, items) => items.SelectMany(group => (group.Value ?? throw PayloadReader.Malformed("a group without elements"))
                .Select(element => (group.Key, Element: element)))
                .ToLookup(pair => pair.Key, pair => pair.Element, (IEqualityComparer<TKey>?)comparers[0]),
            codecs,
            looksIntoItems: true);

    private static ObjectCodec BitArray() =>
        new ConvertedObjectCodec<BitArray>(
            typeof(BitArray),
            (writer, bits) =>
            {
                var bytes = new byte[(bits.Length + 7) / 8];
                bits.CopyTo(bytes, 0);
                writer.WriteVarUInt((ulong)bits.Length);
                writer.WriteBytes(bytes);
            },
            reader =>
            {
                var length = reader.ReadVarUInt();
                if (length > 8 * (ulong)reader.Left)
                {
                    throw PayloadReader.Malformed("it ends too early");
                }

                var bytes = reader.ReadBytes((int)((length + 7) / 8));
                reader.Charge(bytes.Length + 16);
                return new BitArray(bytes.ToArray()) { Length = (int)length };
            });

    private static T[] Reversed<T>(T[] items)
    {
        Array.Reverse(items);
        return items;
    }
}
