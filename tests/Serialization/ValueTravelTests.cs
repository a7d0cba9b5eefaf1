using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq.Expressions;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Orleans.Joblib.Tests;

/// <summary>Values of every kind come out of a payload as they went in.</summary>
public sealed class ValueTravelTests
{
    private enum Small : byte
    {
        One = 1,
        Two = 200,
    }

    [Fact]
    public void Primitives_ExtremeValues_Travel()
    {
        Same(int.MinValue, int.MaxValue, 0, -1, 1);
        Same(long.MinValue, long.MaxValue, 0L);
        Same<object>(uint.MaxValue, ulong.MaxValue, (byte)200, (sbyte)-100, short.MinValue, ushort.MaxValue, 'ä', true, false);
        Same((byte)200, (byte)1);
        Same(short.MinValue, (short)2);
        Same((sbyte)-100);
        Same(ushort.MaxValue);
        Same(uint.MaxValue, 3u, 0u);
        Same(ulong.MaxValue, 3ul);
        Same(double.NaN, double.NegativeInfinity, double.Epsilon, -0.0);
        Same(float.MaxValue, float.NaN);
        Same(decimal.MaxValue, 1.10m, -0.0000001m);
        Same((Half)1.5, Half.NaN);
        Same(Int128.MaxValue, Int128.MinValue);
        Same(UInt128.MaxValue);
        Same(Small.One, Small.Two);
        Same(DayOfWeek.Friday);
        Same<int?>(null, 5);
        Same<(int, string?)?>(null, (3, "x"), (4, null));
        Same(true, false, true);
        Same('a', char.MaxValue);
    }

    [Fact]
    public void Strings_IllFormedOnesToo_Travel() => Same("", "plain", "Grüße 日本", "\ud800 alone", "\udc00\ud800", "\0", new string('x', 100_000), "😀");

    [Fact]
    public async Task FrameworkValues_Travel()
    {
        var now = DateTime.Now;
        Same(now, DateTime.UtcNow, DateTime.MinValue, DateTime.MaxValue);
        Assert.Equal(DateTimeKind.Local, Travel.Copy(now).Kind);
        Same(DateTimeOffset.Now, DateTimeOffset.MaxValue);
        Same(TimeSpan.MinValue, TimeSpan.FromTicks(1));
        Same(DateOnly.MaxValue, DateOnly.MinValue);
        Same(TimeOnly.MaxValue, TimeOnly.MinValue);
        Same(Guid.NewGuid(), Guid.Empty);
        Same(BigInteger.Pow(-7, 300), BigInteger.Zero, BigInteger.One);
        Same(new Complex(1, -2));
        Same(new Vector3(1, 2, 3));
        Same(Vector<double>.One);
        Same(new Index(3, true));
        Same(1..^2);
        Same(new Rune('x'));
        Same<object>(1, "s", 2.5, null!, Small.Two, (1, 2), DateTime.MaxValue, 'c', true, 1m);
        Same(new Uri("https://example.org/a b?q=1#x"), new Uri("relative/path", UriKind.Relative));
        Same(new Version(1, 2, 3, 4));
        Same(CultureInfo.InvariantCulture);
        Same(typeof(int), typeof(List<>), typeof(Dictionary<string, Node>), typeof(int[,]), typeof(Node[][]));
        Assert.Equal(Encoding.UTF8, Travel.Copy(Encoding.UTF8));
        Assert.Equal("text", Travel.Copy(new StringBuilder("te").Append("xt")).ToString());
        Assert.Same(DBNull.Value, Travel.Copy(DBNull.Value));
        Assert.Equal(CancellationToken.None, Travel.Copy(CancellationToken.None));
        Assert.True(Travel.Copy(new CancellationToken(true)).IsCancellationRequested);
        var regex = Travel.Copy(new Regex("^a+b$", RegexOptions.IgnoreCase, TimeSpan.FromSeconds(3)));
        Assert.Matches(regex, "AAB");
        Assert.Equal(TimeSpan.FromSeconds(3), regex.MatchTimeout);
        Assert.Equal(TimeZoneInfo.Utc, Travel.Copy(TimeZoneInfo.Utc));
        Assert.Equal(7, await Travel.Copy(Task.FromResult(7)));
        Assert.True(Travel.Copy(Task.CompletedTask).IsCompletedSuccessfully);
    }

    [Fact]
    public void Tuples_RecordsAndAnonymousTypes_Travel()
    {
        Same((1, "two", 3.0, 4, 5, 6, 7, 8, "nine"));
        Same(Tuple.Create(1, "two", new DateOnly(2020, 2, 3)));
        Same(new Person("Ada", 36) { Tags = null }, new Person("Bob", -1));
        Same(new Point(1, 2), default);
        Same(new { A = 1, B = "b", C = new { D = 2.0 } });
        Same(new KeyValuePair<string, int>("k", 1));
    }

    [Fact]
    public void Arrays_OfEveryShape_Travel()
    {
        Same(new[] { 1, 2, 3 }, [], null!);
        SameItems(new double[100_000].Select((_, i) => i * 0.5).ToArray());
        SameItems(new[] { true, false });
        SameItems(new string?[] { "a", null, "a" });
        SameItems(new[] { new[] { 1 }, null, [2, 3] });
        SameItems(new[] { new Point(1, 2), new Point(3, 4) });
        SameItems(new (int, string)[] { (1, "x"), (2, "y") });
        SameItems(new object?[] { 1, "s", null, new[] { 1L } });
        SameItems(new decimal[] { 1, 2.5m });
        SameItems(new DateTime[] { DateTime.MaxValue });
        SameItems(new int?[] { 1, null });
        SameItems(new NoResult[100]);
        var grid = new[,] { { 1, 2, 3 }, { 4, 5, 6 } };
        Assert.Equal(grid, Travel.Copy(grid));
        var words = new string[2, 1, 2];
        words[1, 0, 1] = "deep";
        Assert.Equal(words, Travel.Copy(words));
        var shifted = Array.CreateInstance(typeof(int), [2, 3], [5, -1]);
        shifted.SetValue(9, 6, 1);
        var copy = Travel.Copy(shifted);
        Assert.Equal((5, -1, 9), (copy.GetLowerBound(0), copy.GetLowerBound(1), copy.GetValue(6, 1)));
        var one = Array.CreateInstance(typeof(string), [2], [1]);
        one.SetValue("x", 2);
        Assert.Equal("x", Travel.Copy(one).GetValue(2));
        Assert.Equal(5, Travel.Copy(new int[0, 5]).GetLength(1));
        object[] covariant = new string[] { "a" };
        Assert.IsType<string[]>(Travel.Copy(covariant));
    }

    [Fact]
    public void Collections_OfTheFramework_Travel()
    {
        SameItems(new List<int> { 1, 2, 3 });
        SameItems(new List<string?> { "a", null });
        SameItems(new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 });
        SameItems(new Dictionary<(int, string), List<int>> { [(1, "x")] = [1, 2] });
        SameItems(new HashSet<string> { "x", "y" });
        SameItems(new SortedDictionary<string, int> { ["b"] = 1, ["a"] = 2 });
        SameItems(new SortedList<int, string> { [2] = "b", [1] = "a" });
        SameItems(new SortedSet<int> { 3, 1, 2 });
        SameItems(new Queue<int>([1, 2, 3]));
        SameItems(new Stack<int>([1, 2, 3]));
        SameItems(new LinkedList<int>([1, 2, 3]));
        SameItems(new ConcurrentQueue<int>([1, 2]));
        SameItems(new ConcurrentStack<int>([1, 2]));
        SameItems(new ConcurrentBag<int>([1, 2]));
        SameItems(new ConcurrentDictionary<string, int>([new("a", 1)]));
        SameItems(new OrderedDictionary<string, int> { ["z"] = 1, ["a"] = 2 });
        SameItems(ImmutableArray.Create(1, 2));
        SameItems(ImmutableList.Create("a", "b"));
        SameItems(ImmutableDictionary<string, int>.Empty.Add("a", 1).Add("b", 2));
        SameItems(ImmutableHashSet.Create("a", "b"));
        SameItems(ImmutableSortedDictionary<string, int>.Empty.Add("b", 1).Add("a", 2));
        SameItems(ImmutableSortedSet.Create(2, 1));
        SameItems(ImmutableQueue.Create(1, 2));
        SameItems(ImmutableStack.Create(1, 2));
        SameItems(new Dictionary<string, int> { ["a"] = 1, ["bb"] = 2 }.ToFrozenDictionary());
        SameItems(new[] { "a", "b", "c" }.ToFrozenSet());
        SameItems(new[] { 1, 2, 3 }.ToFrozenSet());
        SameItems(new ArraySegment<int>([1, 2, 3, 4], 1, 2));
        SameItems(new BitArray([true, false, true]).Cast<bool>().ToArray());
        Assert.Equal(new BitArray([true, false, true]).Cast<bool>(), Travel.Copy(new BitArray([true, false, true])).Cast<bool>());
        var table = Travel.Copy(new Hashtable { ["a"] = 1, [2] = "b" });
        Assert.Equal((1, "b"), (table["a"], table[2]));
        var heap = Travel.Copy(new PriorityQueue<string, int>([("low", 9), ("high", 1)]));
        Assert.Equal(("high", "low"), (heap.Dequeue(), heap.Dequeue()));
        var lookup = Travel.Copy(new[] { "apple", "avocado", "bean" }.ToLookup(word => word[0]));
        Assert.Equal(["apple", "avocado"], lookup['a']);
        var frozen = Travel.Copy(new Dictionary<string, int> { ["Key"] = 1 }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));
        Assert.Equal(1, frozen["kEY"]);
        var looked = Travel.Copy(ImmutableDictionary.Create<string, int>(StringComparer.OrdinalIgnoreCase).Add("Key", 1));
        Assert.Equal(1, looked["kEY"]);
    }

    [Fact]
    public void Tables_WithComparers_FindTheirKeys()
    {
        var words = Travel.Copy(new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["Key"] = 1 });
        Assert.Equal(1, words["kEY"]);
        Assert.Same(StringComparer.OrdinalIgnoreCase, words.Comparer);
        Assert.Same(EqualityComparer<int>.Default, Travel.Copy<object>(EqualityComparer<int>.Default));
        Assert.Same(Comparer<string>.Default, Travel.Copy<object>(Comparer<string>.Default));
        Assert.Same(StringComparer.Ordinal, Travel.Copy<object>(StringComparer.Ordinal));
        Assert.Same(ReferenceEqualityComparer.Instance, Travel.Copy<object>(ReferenceEqualityComparer.Instance));
        var modular = Travel.Copy(new Dictionary<int, string>(new Modulo(10)) { [3] = "three" });
        Assert.Equal("three", modular[13]);
        var sorted = Travel.Copy(new SortedSet<int>(Comparer<int>.Create((a, b) => b.CompareTo(a))) { 1, 2, 3 });
        Assert.Equal([3, 2, 1], sorted);
        Assert.True(sorted.Add(0));
    }

    [Fact]
    public void Tables_WithObjectsAsKeys_FindThem()
    {
        var nested = new HashSet<HashSet<int>>(HashSet<int>.CreateSetComparer()) { new() { 1, 2 }, new() { 3 } };
        Assert.Contains(new HashSet<int> { 2, 1 }, Travel.Copy(nested));
        var people = Travel.Copy(new Dictionary<Person, string> { [new Person("Ada", 36) { Tags = ["x"] }] = "first" });
        var key = people.Keys.Single();
        Assert.Equal("first", people[key]);
        var frozen = Travel.Copy(new Dictionary<Person, int> { [new Person("Ada", 1)] = 7 }.ToFrozenDictionary());
        Assert.Equal(7, frozen[new Person("Ada", 1)]);
        var inner = new HashSet<Person> { new("Ada", 1) };
        var both = Travel.Copy((inner, new Dictionary<Person, HashSet<Person>> { [new Person("Bob", 2)] = inner }));
        Assert.Same(both.inner, both.Item2[new Person("Bob", 2)]);
        Assert.Contains(new Person("Ada", 1), both.inner);
    }

    [Fact]
    public void UserClasses_PrivateInheritedAndCyclic_Travel()
    {
        var node = new Derived("secret", 5);
        node.Next = node;
        var copy = Travel.Copy<Base>(node);
        Assert.Same(copy, copy.Next);
        Assert.Equal("secret 5 base", copy.ToString());
        var shared = new Node { Name = "s" };
        var pair = Travel.Copy(new[] { shared, shared, new Node { Name = "s" } });
        Assert.Same(pair[0], pair[1]);
        Assert.NotSame(pair[0], pair[2]);
        IShape shape = new Circle(2);
        Assert.Equal(shape.Area, Travel.Copy(shape).Area);
        Assert.Equal("no constructor", Travel.Copy(new NoDefault("no constructor")).Text);
        var derived = Travel.Copy(new NamedList("title") { 1, 2 });
        Assert.Equal(("title", 2), (derived.Title, derived.Count));
        var counting = Travel.Copy(new CountingTable { ["a"] = 1 });
        Assert.Equal((1, 42), (counting["A"], counting.Extra));
        var buffer = default(Buffer4);
        buffer[3] = "d";
        Assert.Equal("d", Travel.Copy(buffer)[3]);
        Assert.Equal([1, 2, 3], Travel.Copy(new Fixed(1, 2, 3)).ToArray());
    }

    [Fact]
    public void LongLists_AMillionNodes_NeedNoStack()
    {
        Node? head = null;
        for (var i = 0; i < 1_000_000; i++)
        {
            head = new Node { Number = i, Next = head };
        }

        var count = 0;
        for (var node = Travel.Copy(head); node is not null; node = node.Next)
        {
            count++;
        }

        Assert.Equal(1_000_000, count);
    }

    [Fact]
    public void DeepNesting_ListsInLists_NeedsNoStack()
    {
        object deep = "core";
        for (var i = 0; i < 100_000; i++)
        {
            deep = i % 2 == 0 ? new List<object> { deep } : new object[] { deep };
        }

        var found = Travel.Copy(deep);
        while (found is not string)
        {
            found = found is List<object> list ? list[0] : ((object[])found)[0];
        }

        Assert.Equal("core", found);
    }

    [Fact]
    public void Memory_SharesItsArray()
    {
        var array = new[] { 1, 2, 3, 4, 5 };
        var (whole, part, view, text) = Travel.Copy((array, array.AsMemory(1, 3), (ReadOnlyMemory<int>)array.AsMemory(2), "hello".AsMemory(1, 2)));
        Assert.Equal([2, 3, 4], part.ToArray());
        Assert.Equal([3, 4, 5], view.ToArray());
        Assert.Equal("el", text.ToString());
        part.Span[0] = 20;
        Assert.Equal(20, whole[1]);
        Assert.True(Travel.Copy(Memory<byte>.Empty).IsEmpty);
    }

    [Fact]
    public void LazySequencesAndIterators_Travel()
    {
        var numbers = new[] { 1, 2, 3, 4, 5, 6 };
        var limit = 2;
        Assert.Equal([30, 40, 50, 60], Travel.Copy(numbers.Where(n => n > limit).Select(n => n * 10)));
        Assert.Equal([6, 5, 4], Travel.Copy(numbers.OrderByDescending(n => n).Take(3)));
        Assert.Equal([1, 1], Travel.Copy(numbers.GroupBy(n => n % 2)).First().Select(_ => 1).Take(2));
        Assert.Equal([0, 1, 2], Travel.Copy(Enumerable.Range(0, 3)));
        Assert.Equal([5, 5], Travel.Copy(Enumerable.Repeat(5, 2)));
        Assert.Equal([1, 2, 3, 9], Travel.Copy(numbers.Take(3).Concat([9])));
        Assert.Equal([3, 4, 5], Travel.Copy(Counting(3)).Take(3));
        Assert.Equal(21, Travel.RunOne(() => numbers.Where(n => n > 0).Sum()));
        var made = new Lazy<string>(() => "made");
        Assert.False(Travel.Copy(made).IsValueCreated);
        Assert.Equal("made", Travel.Copy(made).Value);
        _ = made.Value;
        Assert.True(Travel.Copy(made).IsValueCreated);
    }

    [Fact]
    public void ExpressionTrees_Travel()
    {
        var factor = 3;
        Expression<Func<int, int>> expression = x => (x * factor) + "abc".Length;
        Assert.Equal(15, Travel.Copy(expression).Compile()(4));
        Assert.Equal(15, Travel.RunOne(() => expression.Compile()(4)));
    }

    [Fact]
    public void Random_Seeded_GoesOnWhereItWas()
    {
        var random = new Random(5);
        random.Next();
        var copy = Travel.Copy(random);
        Assert.Equal(random.Next(), copy.Next());
        Assert.InRange(Travel.Copy(new Random()).Next(10), 0, 9);
    }

    [Fact]
    public void SparsePayload_ManyEqualResults_Travels()
    {
        // 100,000 objects in next to no bytes: the reader's bound on memory must not refuse them.
        Assert.Equal(100_000, Travel.Run([.. Enumerable.Repeat(Joblib.Delayed(() => 5), 100_000)]).Length);
        SameItems(Enumerable.Repeat(new Dictionary<int, int>(), 1).ToList());
        Assert.Equal(50_000, Travel.Copy(Enumerable.Range(0, 50_000).Select(_ => new StringBuilder()).ToArray()).Length);
        Assert.Equal(20_000, Travel.Copy(Enumerable.Range(0, 20_000).Select(_ => new ConcurrentQueue<int>()).ToArray()).Length);
    }

    private static IEnumerable<int> Counting(int from)
    {
        while (true)
        {
            yield return from++;
        }
    }

    private static void Same<T>(params T[] values) => Assert.Equal(values, Travel.CopyAll(values));

    private static void SameItems<T>(T value)
        where T : IEnumerable
    {
        var copy = Travel.Copy(value);
        if (value is IDictionary or ConcurrentBag<int> || value.GetType().Name.Contains("Hash", StringComparison.Ordinal) || value.GetType().Name.Contains("Frozen", StringComparison.Ordinal))
        {
            Assert.Equal(value.Cast<object?>().Select(Text).Order(), copy.Cast<object?>().Select(Text).Order());
        }
        else
        {
            Assert.Equal(value.Cast<object?>(), copy.Cast<object?>());
        }

        Assert.Equal(value.GetType(), copy.GetType());
    }

    private static string? Text(object? value) => value is IEnumerable items and not string ? string.Join(',', items.Cast<object>()) : value?.ToString();

    public sealed record Person(string Name, int Age)
    {
        public string[]? Tags { get; init; }
    }

    public readonly record struct Point(int X, int Y);

    public sealed class Node
    {
        public int Number { get; set; }
        public string? Name { get; set; }
        public Node? Next { get; set; }
    }

    public interface IShape
    {
        double Area { get; }
    }

    public class Base
    {
        private readonly string _hidden = "base";

        public Base? Next { get; set; }

        public override string ToString() => _hidden;
    }

    public sealed class Derived : Base
    {
        private readonly string _hidden;

        public Derived(string hidden, int number)
        {
            _hidden = hidden;
            Number = number;
        }

        private int Number { get; init; }

        public override string ToString() => $"{_hidden} {Number} {base.ToString()}";
    }

    public sealed class NoDefault(string text)
    {
        public string Text => text;
    }

    public sealed class NamedList(string title) : List<int>
    {
        public string Title { get; } = title;
    }

    public sealed class CountingTable : Dictionary<string, int>
    {
        public CountingTable()
            : base(StringComparer.OrdinalIgnoreCase) => Extra = 42;

        public int Extra { get; }
    }

    [System.Runtime.CompilerServices.InlineArray(4)]
    public struct Buffer4
    {
        private string? _first;
    }

    public unsafe struct Fixed
    {
        private fixed int _numbers[3];

        public Fixed(int a, int b, int c)
        {
            _numbers[0] = a;
            _numbers[1] = b;
            _numbers[2] = c;
        }

        public readonly int[] ToArray() => [_numbers[0], _numbers[1], _numbers[2]];
    }

    private readonly struct Circle(double radius) : IShape
    {
        public double Area => radius * radius * Math.PI;
    }

    private sealed class Modulo(int divisor) : IEqualityComparer<int>
    {
        public bool Equals(int x, int y) => x % divisor == y % divisor;

        public int GetHashCode(int obj) => obj % divisor;
    }
}
