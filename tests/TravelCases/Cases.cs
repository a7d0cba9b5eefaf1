using System.Collections.Frozen;
using System.Runtime.Loader;
using Orleans.Joblib;
using static Orleans.Joblib.Joblib;

namespace TravelCases;

/// <summary>Calls of a user's program, which tests load a second time in a context of its own: this assembly holds nothing that would keep it loaded.</summary>
public static class Cases
{
    public static IReadOnlyList<string> Kinds =>
        ["constant", "ints", "record", "delegate", "array", "table", "frozen", "async", "failing", "counter", "sequence", "cycle", "argument", "orleans", "place"];

    public static Delayed<object> Of(string kind)
    {
        int a = 3, b = 4;
        var count = 0;
        var person = new Person("Ada", 36);
        person.Friend = person;
        var wire = new WireCase { Kept = 5, Dropped = 6 };
        Func<Person, int> age = p => p.Age + a;
        return kind switch
        {
            "constant" => Delayed<object>(() => 5),
            "ints" => Delayed<object>(() => a + b),
            "record" => Delayed<object>(() => new Person(person.Name, a)),
            "delegate" => Delayed<object>(() => age(person)),
            "array" => Delayed<object>(() => new[] { new Spot(a, b), default }),
            "table" => Delayed<object>(() => new Dictionary<Spot, List<string>> { [new(a, 1)] = ["x"] }),
            "frozen" => Delayed<object>(() => new[] { new Spot(a, b) }.ToFrozenSet()),
            "async" => Delayed<object>(async () =>
            {
                await Task.Yield();
                return a;
            }),
            "failing" => Delayed<object>(() => throw new CaseException(a)),
            "counter" => Delayed<object>(() => ++count),
            "sequence" => Delayed<object>(() => Enumerable.Range(0, 3).Select(x => x + a)),
            "cycle" => Delayed<object>(() => person.Friend!),
            "argument" => Delayed<Person, object>(static p => p.Friend!.Age, person),
            "orleans" => Delayed<object>(() => wire),
            "place" => Delayed<object>(() => AssemblyLoadContext.GetLoadContext(typeof(Cases).Assembly)!.Name!),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }
}
