namespace Orleans.Joblib;

/// <summary>Work of several owners, served in turn: an owner with a thousand items waits no less than one with a single item. Not thread-safe.</summary>
internal sealed class FairQueue
{
    private readonly Dictionary<object, Queue<IWorkItem>> _byOwner = [];
    private readonly Queue<Queue<IWorkItem>> _turns = new();
    private readonly Stack<Queue<IWorkItem>> _spares = new();
    private object? _lastOwner;
    private Queue<IWorkItem>? _lastQueue;

    internal int Count { get; private set; }

    internal void Enqueue(IWorkItem item)
    {
        var owner = item.Owner;
        if (!ReferenceEquals(owner, _lastOwner))
        {
            if (!_byOwner.TryGetValue(owner, out var known))
            {
                _byOwner[owner] = known = _spares.TryPop(out var spare) ? spare : new Queue<IWorkItem>();
            }

            _lastOwner = owner;
            _lastQueue = known;
        }

        var queue = _lastQueue!;
        queue.Enqueue(item);
        if (queue.Count == 1)
        {
            _turns.Enqueue(queue);
        }

        Count++;
    }

    internal bool TryDequeue(out IWorkItem item)
    {
        if (!_turns.TryDequeue(out var queue))
        {
            item = null!;
            return false;
        }

        item = queue.Dequeue();
        Count--;
        if (queue.Count > 0)
        {
            _turns.Enqueue(queue);
        }
        else
        {
            // An owner is a whole run with its results: a queue that outlives it must not hold it.
            Forget(item.Owner);
            _spares.Push(queue);
        }

        return true;
    }

    /// <summary>Takes an owner's items out and forgets the owner.</summary>
    internal IReadOnlyList<IWorkItem> Remove(object owner)
    {
        if (!_byOwner.Remove(owner, out var queue))
        {
            return [];
        }

        Forget(owner);
        var items = queue.ToArray();
        Count -= items.Length;
        if (items.Length > 0)
        {
            queue.Clear();
            for (var turns = _turns.Count; turns > 0; turns--)
            {
                var other = _turns.Dequeue();
                if (!ReferenceEquals(other, queue))
                {
                    _turns.Enqueue(other);
                }
            }
        }

        return items;
    }

    private void Forget(object owner)
    {
        _byOwner.Remove(owner);
        if (ReferenceEquals(owner, _lastOwner))
        {
            _lastOwner = null;
            _lastQueue = null;
        }
    }
}
