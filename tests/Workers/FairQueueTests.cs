using Xunit;

namespace Orleans.Joblib.Tests;

public sealed class FairQueueTests
{
    private readonly FairQueue<IWorkItem> _queue = new();

    [Fact]
    public void TryDequeue_SeveralOwners_ServesThemInTurnAndEachInItsOrder()
    {
        Enqueue("a1", "a2", "a3", "a4", "b1", "c1", "c2");
        Assert.Equal(["a1", "b1", "c1", "a2", "c2", "a3", "a4"], Drain());
    }

    [Fact]
    public void TryDequeue_OwnerThatComesLate_WaitsOneTurn()
    {
        Enqueue("a1", "a2", "a3");
        Assert.Equal("a1", Dequeue());
        Enqueue("b1", "a4");
        Assert.Equal(["a2", "b1", "a3", "a4"], Drain());
    }

    [Fact]
    public void TryDequeue_Empty_GivesNothing()
    {
        Assert.False(_queue.TryDequeue(out _));
        Enqueue("a1");
        Assert.Equal(["a1"], Drain());
        Assert.False(_queue.TryDequeue(out _));
        Enqueue("a2");
        Assert.Equal(["a2"], Drain());
    }

    [Fact]
    public void Remove_Owner_TakesItsItemsAndKeepsTheOthersTurns()
    {
        Enqueue("a1", "b1", "c1", "a2", "b2");
        Assert.Equal(["b1", "b2"], _queue.Remove("b").Cast<Named>().Select(item => item.Name));
        Assert.Equal(3, _queue.Count);
        Assert.Empty(_queue.Remove("b"));
        Assert.Empty(_queue.Remove("unknown"));
        Enqueue("b3");
        Assert.Equal(["a1", "c1", "b3", "a2"], Drain());
    }

    [Fact]
    public void Remove_SomeOfAnOwner_TakesTheLastThatCame()
    {
        Enqueue("a1", "b1", "a2", "a3", "a4");
        Assert.Equal(3, _queue.CountOf("a", item => ((Named)item).Name != "a4", atMost: 10));
        Assert.Equal(2, _queue.CountOf("a", _ => true, atMost: 2));
        Assert.Equal(["a2", "a3"], _queue.Remove("a", item => ((Named)item).Name != "a4", atMost: 2).Cast<Named>().Select(item => item.Name));
        Assert.Equal(3, _queue.Count);
        Assert.Equal(["a1", "b1", "a4"], Drain());
        Assert.Empty(_queue.Remove("a", _ => true, atMost: 2));
        Assert.Equal(0, _queue.CountOf("a", _ => true, atMost: 10));
    }

    [Fact]
    public void TryDequeue_OwnerWithAsMuchInHandAsItMay_IsPassedOver()
    {
        _queue.Enqueue(new Named("a1") { MostAtOnce = 1 });
        _queue.Enqueue(new Named("a2") { MostAtOnce = 1 });
        Enqueue("b1");
        Assert.Equal((3, 2), (_queue.Count, _queue.Ready));
        Assert.Equal(["a1", "b1", "nothing"], [Dequeue(), Dequeue(), Dequeue()]);
        Assert.Equal((1, 0), (_queue.Count, _queue.Ready));
        _queue.Finished(string.Intern("b"), 1);
        Assert.Equal(0, _queue.Ready);
        _queue.Finished(string.Intern("a"), 1);
        Assert.Equal("a2", Dequeue());
        _queue.Enqueue(new Named("a3") { MostAtOnce = 1 });
        _queue.ChangeMostAtOnce(string.Intern("a"), 2);
        Assert.Equal(1, _queue.Ready);
        Assert.Equal("a3", Dequeue());
    }

    [Fact]
    public void TryDequeue_OwnerThatComesBesideOneThatIsHeldBack_TakesNothingFromTheOthers()
    {
        _queue.Enqueue(new Named("a1") { MostAtOnce = 1 });
        _queue.Enqueue(new Named("a2") { MostAtOnce = 1 });
        Enqueue("b1", "b2", "b3", "b4", "b5", "b6");
        Assert.Equal(["a1", "b1", "b2", "b3"], [Dequeue(), Dequeue(), Dequeue(), Dequeue()]);
        for (var i = 0; i < 3; i++)
        {
            _queue.Finished(string.Intern("b"), 10);
        }

        Assert.Equal("b4", Dequeue());
        _queue.Finished(string.Intern("a"), 10);
        Assert.Equal("a2", Dequeue());

        // Served 30, 10 and nothing: the newcomer begins where the one served most is, not where the one held back is.
        Enqueue("c1", "c2", "c3");
        Assert.Equal(["b5", "c1"], new[] { Dequeue(), Dequeue() }.Order());
        _queue.Finished(string.Intern("c"), 10);
        Assert.Equal("b6", Dequeue());
    }

    [Fact]
    public void Count_Any_FollowsTheItems()
    {
        Enqueue("a1", "a2", "b1");
        Assert.Equal(3, _queue.Count);
        Dequeue();
        Assert.Equal(2, _queue.Count);
        _queue.Remove("a");
        Assert.Equal(1, _queue.Count);
        Drain();
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public void TryDequeue_OwnerWithLongItems_GetsItsShareOfTimeNotOfTurns()
    {
        Enqueue([.. Enumerable.Range(0, 5).Select(i => $"a{i}"), .. Enumerable.Range(0, 20).Select(i => $"b{i}")]);
        var time = new Dictionary<char, long> { ['a'] = 0, ['b'] = 0 };
        for (var i = 0; i < 11; i++)
        {
            var owner = Dequeue()[0];
            var took = owner == 'a' ? 10 : 1;
            time[owner] += took;
            _queue.Finished(string.Intern(owner.ToString()), took);
        }

        Assert.InRange(time['b'], 9, 10);
        Assert.Equal(10, time['a']);
    }

    [Fact]
    public void Finished_LastItem_ForgetsTheOwnerAndWhatItWasServed()
    {
        Enqueue("a1");
        Dequeue();
        _queue.Finished(string.Intern("a"), 1_000_000);
        Enqueue("b1", "a2", "b2", "a3");
        Assert.Equal(["b1", "a2", "b2", "a3"], Drain());
    }

    private void Enqueue(params string[] names)
    {
        foreach (var name in names)
        {
            _queue.Enqueue(new Named(name));
        }
    }

    private string Dequeue() => _queue.TryDequeue(out var item) ? ((Named)item).Name : "nothing";

    private List<string> Drain()
    {
        var names = new List<string>();
        while (_queue.Count > 0)
        {
            names.Add(Dequeue());
        }

        return names;
    }

    // The owner is an interned string: queues know owners by reference.
    private sealed record Named(string Name) : IWorkItem
    {
        public object Owner { get; } = string.Intern(Name[..1]);

        public int MostAtOnce { get; init; } = int.MaxValue;

        public void Run(IWorkSharer sharer) => throw new NotSupportedException();
    }
}
