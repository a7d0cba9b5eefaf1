namespace Orleans.Joblib;

/// <summary>Work of several owners, served so that each gets the same share of the workers' time, however many items it has and however long they take. Not thread-safe.</summary>
/// <remarks>
/// Start-time fair queueing: whoever has been served least is next, those served equally in turn. An owner that comes, or comes back, begins at the share of the
/// one served last, so that it neither owes nor is owed for the time that it was away. An owner that has as much in hand as it may have (<see cref="IOwned.MostAtOnce"/>) waits.
/// </remarks>
internal sealed class FairQueue<TItem>
    where TItem : class, IOwned
{
    private readonly Dictionary<object, Account> _accounts = [];
    private readonly List<Account> _waiting = [];
    private readonly Stack<Account> _spares = new();
    private Account? _last;
    private long _served;
    private long _turns;

    internal int Count { get; private set; }

    /// <summary>Items that may be taken out now.</summary>
    internal int Ready { get; private set; }

    internal void Enqueue(TItem item)
    {
        var account = AccountOf(item);
        account.Items.Enqueue(item);
        if (account.Items.Count == 1)
        {
            account.Served = Math.Max(account.Served, account.Running > 0 ? 0 : _served);
            _waiting.Add(account);
        }

        Count++;
        Settle(account);
    }

    internal bool TryDequeue(out TItem item)
    {
        if (Ready == 0)
        {
            item = null!;
            return false;
        }

        var index = -1;
        for (var i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].Ready > 0 && (index < 0 || _waiting[i].CompareTo(_waiting[index]) < 0))
            {
                index = i;
            }
        }

        var account = _waiting[index];
        item = account.Items.Dequeue();
        Count--;
        account.Running++;
        account.Turn = ++_turns;
        _served = Math.Max(_served, account.Served);
        if (account.Items.Count == 0)
        {
            _waiting.RemoveAt(index);
        }

        Settle(account);
        return true;
    }

    /// <summary>An item that was taken out has ended.</summary>
    /// <param name="owner">Its owner.</param>
    /// <param name="time">How long a worker had it, in any unit that is the same for all.</param>
    internal void Finished(object owner, long time)
    {
        if (Find(owner) is { } account)
        {
            account.Served += time;
            account.Running--;
            Settle(account);
            ForgetIfIdle(account);
        }
    }

    /// <summary>An owner may have more in hand from now on, or less.</summary>
    internal void ChangeMostAtOnce(object owner, int mostAtOnce)
    {
        if (Find(owner) is { } account)
        {
            // What it did not get while it had to wait for itself, nobody owes it.
            account.Served = mostAtOnce > account.MostAtOnce ? Math.Max(account.Served, _served) : account.Served;
            account.MostAtOnce = mostAtOnce;
            Settle(account);
        }
    }

    /// <summary>Takes an owner's items out.</summary>
    internal IReadOnlyList<TItem> Remove(object owner)
    {
        if (Find(owner) is not { } account)
        {
            return [];
        }

        var items = account.Items.ToArray();
        account.Items.Clear();
        Count -= items.Length;
        _waiting.Remove(account);
        Settle(account);
        ForgetIfIdle(account);
        return items;
    }

    /// <summary>Takes some of an owner's items out, the last that came; they and the others keep their order.</summary>
    internal IReadOnlyList<TItem> Remove(object owner, Predicate<TItem> which, int atMost = int.MaxValue)
    {
        if (Find(owner) is not { } account)
        {
            return [];
        }

        var stay = Math.Max(account.Items.Count(item => which(item)) - atMost, 0);
        var removed = new List<TItem>();
        for (var left = account.Items.Count; left > 0; left--)
        {
            var item = account.Items.Dequeue();
            if (which(item) && --stay < 0)
            {
                removed.Add(item);
            }
            else
            {
                account.Items.Enqueue(item);
            }
        }

        Count -= removed.Count;
        if (account.Items.Count == 0)
        {
            _waiting.Remove(account);
        }

        Settle(account);
        ForgetIfIdle(account);
        return removed;
    }

    /// <summary>An owner's items, those in hand included.</summary>
    internal int AllOf(object owner) => Find(owner) is { } account ? account.Items.Count + account.Running : 0;

    /// <summary>Some of an owner's items; no further than a number.</summary>
    internal int CountOf(object owner, Predicate<TItem> which, int atMost) => Find(owner)?.Items.Where(item => which(item)).Take(atMost).Count() ?? 0;

    /// <summary>Takes all items out, and forgets their owners.</summary>
    internal IReadOnlyList<TItem> RemoveAll()
    {
        TItem[] items = [.. _waiting.SelectMany(account => account.Items)];
        _accounts.Clear();
        _waiting.Clear();
        _last = null;
        Count = Ready = 0;
        return items;
    }

    private void Settle(Account account)
    {
        var ready = Math.Min(account.Items.Count, Math.Max(account.MostAtOnce - account.Running, 0));
        Ready += ready - account.Ready;
        account.Ready = ready;
    }

    private Account AccountOf(TItem item)
    {
        var owner = item.Owner;
        if (Find(owner) is { } known)
        {
            return known;
        }

        var account = _spares.TryPop(out var spare) ? spare : new Account();
        account.Owner = owner;
        account.MostAtOnce = item.MostAtOnce;
        account.Served = 0;
        account.Turn = ++_turns;
        _accounts[owner] = account;
        return _last = account;
    }

    private Account? Find(object owner) => ReferenceEquals(_last?.Owner, owner) ? _last : _accounts.GetValueOrDefault(owner);

    // An owner is a whole run with its results: an account that outlives its work must not hold it.
    private void ForgetIfIdle(Account account)
    {
        if (account.Items.Count > 0 || account.Running > 0)
        {
            return;
        }

        _accounts.Remove(account.Owner!);
        account.Owner = null;
        _spares.Push(account);
        if (ReferenceEquals(_last, account))
        {
            _last = null;
        }
    }

    private sealed class Account : IComparable<Account>
    {
        internal object? Owner { get; set; }

        internal Queue<TItem> Items { get; } = new();

        /// <summary>Items that workers have.</summary>
        internal int Running { get; set; }

        internal int MostAtOnce { get; set; }

        /// <summary>Items that may be taken out now.</summary>
        internal int Ready { get; set; }

        /// <summary>The workers' time that it has had.</summary>
        internal long Served { get; set; }

        /// <summary>When it was last served, or came, in turns.</summary>
        internal long Turn { get; set; }

        public int CompareTo(Account? other) => (Served, Turn).CompareTo((other!.Served, other.Turn));
    }
}
