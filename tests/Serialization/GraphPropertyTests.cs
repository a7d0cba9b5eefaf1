using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using CsCheck;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests;

/// <summary>Random graphs of objects, with cycles and shared parts, come back as the same graphs.</summary>
public sealed class GraphPropertyTests
{
    private static readonly Gen<object?[]> Graphs = Gen.Select(Gen.Int, Gen.Int[1, 60]).Select((seed, size) => Made(new Random(seed), size));

    [Fact]
    public void Graph_ThereAndBack_IsTheSameGraph() => Graphs.Sample(graph => Description(Travel.Copy(graph)) == Description(graph), iter: 2000);

    [Fact]
    public void Graph_Captured_IsTheSameGraph() => Graphs.Sample(graph => Travel.RunOne(() => Description(graph)) == Description(graph), iter: 500);

    [Fact]
    public void Columns_AnyNumbers_ComeBack() => Gen.Select(Gen.Int.Array[0, 300], Gen.Long.Array[0, 300], Gen.Int[0, 40].Array[0, 300]).Sample((ints, longs, small) =>
        Travel.CopyAll(ints).SequenceEqual(ints) && Travel.CopyAll(longs).SequenceEqual(longs) && Travel.CopyAll(small).SequenceEqual(small)
        && (ints.Length == 0 || Travel.Run([.. ints.Select(i => Delayed(() => i))]).SequenceEqual(ints)));

    [Fact]
    public void Strings_Any_ComeBack() => Gen.String.Array[0, 30].Sample(words => Travel.CopyAll(words).SequenceEqual(words));

    private static object?[] Made(Random random, int size)
    {
        var made = new List<object?> { null };
        object? Any() => made[random.Next(made.Count)];
        var nodes = new List<Thing>();
        for (var i = 0; i < size; i++)
        {
            made.Add(random.Next(14) switch
            {
                0 => random.Next(),
                1 => $"text {random.Next(5)}",
                2 => new List<object?> { Any(), Any() },
                3 => new[] { Any(), Any(), Any() },
                4 => new Dictionary<string, object?> { ["a"] = Any(), [$"{random.Next(9)}"] = Any() },
                5 => (Any(), random.NextDouble()),
                6 => ImmutableList.Create(Any(), Any()),
                7 => new[] { random.Next(), random.Next() },
                8 => new Queue<object?>([Any()]),
                9 => (decimal)random.Next(100) / 7,
                10 => ImmutableDictionary<int, object?>.Empty.Add(random.Next(50), Any()),
                11 => (Func<object?, int>)new Adder(random.Next(9)).Add,
                _ => Thing(),
            });

            Thing Thing()
            {
                var thing = new Thing { Number = random.Next(9), First = Any(), Second = Any() };
                nodes.Add(thing);
                return thing;
            }
        }

        // Back to what was made later: cycles.
        foreach (var node in nodes)
        {
            node.Second = Any();
        }

        return [.. made];
    }

    /// <summary>A graph as text, in which an object that was met before is its number: equal texts, equal graphs.</summary>
    private static string Description(object? root)
    {
        var text = new StringBuilder();
        var known = new Dictionary<object, int>(ReferenceEqualityComparer.Instance);
        void Describe(object? value)
        {
            switch (value)
            {
                case null:
                    text.Append("null ");
                    return;

                case ValueType and not ITuple:
                    text.Append(value.GetType().Name).Append(value).Append(' ');
                    return;
            }

            if (known.TryGetValue(value, out var number))
            {
                text.Append('#').Append(number).Append(' ');
                return;
            }

            known[value] = known.Count;
            text.Append(value.GetType().Name).Append('(');
            switch (value)
            {
                case string word:
                    text.Append(word);
                    break;

                case Thing thing:
                    text.Append(thing.Number).Append(' ');
                    Describe(thing.First);
                    Describe(thing.Second);
                    break;

                case IDictionary map:
                    foreach (var key in map.Keys.Cast<object>().OrderBy(key => key.ToString(), StringComparer.Ordinal))
                    {
                        text.Append(key).Append('=');
                        Describe(map[key]);
                    }

                    break;

                case ITuple tuple:
                    for (var i = 0; i < tuple.Length; i++)
                    {
                        Describe(tuple[i]);
                    }

                    break;

                case Func<object?, int> function:
                    text.Append(function(null));
                    break;

                case IEnumerable items:
                    foreach (var item in items)
                    {
                        Describe(item);
                    }

                    break;
            }

            text.Append(") ");
        }

        Describe(root);
        return text.ToString();
    }

    private sealed class Thing
    {
        internal int Number { get; init; }

        internal object? First { get; init; }

        internal object? Second { get; set; }
    }

    private sealed class Adder(int number)
    {
        internal int Add(object? _) => number;
    }
}
