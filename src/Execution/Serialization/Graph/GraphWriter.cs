using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Writes objects with their identity: each once, as a number afterwards. Not thread-safe; one payload at a time.</summary>
/// <remarks>
/// <para>An object is announced (type, and what it takes to allocate it) where it is first met, and its contents follow later, in order of discovery. So nothing
/// recurses along references: a list of a million nodes needs no stack.</para>
/// <para>Two kinds wait longer. The fields of a closure are written when it is known which of them are read. A hash table whose keys are objects is filled after
/// everything that its keys can hold.</para>
/// </remarks>
internal sealed class GraphWriter(CodecTable codecs) : PayloadWriter
{
    internal const byte End = 0;
    internal const byte Closure = 1;
    internal const byte LateBody = 2;
    internal const byte LateFill = 3;

    /// <summary>Values inside values, each constructed from the next: a delegate over a delegate, a frozen set in a frozen set. The decoder has the same bound.</summary>
    internal const int DeepestNesting = 200;

    private const int KeptObjects = 1 << 16;

    private readonly Dictionary<Type, Entry> _entries = [];
    private readonly Dictionary<Type, Entry> _storedEntries = [];
    private readonly Dictionary<(object Array, bool IsWritable), object> _standIns = [];
    private readonly Dictionary<DelegatePlan, int> _methods = [];
    private readonly Dictionary<object, ClosureState> _closures = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<ClosureState> _unwritten = new();
    private readonly Stack<LateState> _late = new();
    private readonly Dictionary<int, LateState> _lateById = [];
    private readonly List<int> _constructing = [];
    private readonly List<string> _roots = [];
    private readonly List<int> _queue = [];
    private object?[] _objects = new object?[64];
    private ObjectCodec[] _codecs = new ObjectCodec[64];
    private int[] _parents = new int[64];
    private int[] _slots = new int[256];
    private int _count;
    private int _queueHead;
    private int _current;
    private int _root = -1;
    private int _depth;
    private int _nextType;
    private bool _inLateBody;
    private Type? _lastType;
    private Entry _lastEntry = null!;

    internal CodecTable Codecs => codecs;

    /// <summary>Where large arrays go; null when they go into the payload.</summary>
    internal IArraySink? Arrays { get; set; }

    /// <summary>Whether exceptions are written as what they are, not as something that may fail to travel.</summary>
    internal bool InException { get; init; }

    /// <summary>The memory that decoding will be charged for.</summary>
    internal long Charged { get; private set; }

    /// <summary>What the following values are to the user, for a refusal's path: <c>captured 'x'</c>.</summary>
    internal void SetRoot(string label)
    {
        _roots.Add(label);
        _root = -_roots.Count;
        _current = _root;
    }

    internal void Charge(long bytes) => Charged += bytes;

    internal void WriteReference(object? value)
    {
        if (value is null)
        {
            WriteByte(0);
            return;
        }

        var id = WriteObject(value);
        if (_codecs[id].IsClosure)
        {
            // Reached as an ordinary object: nobody knows what will be read of it.
            Need((ClosureCodec)_codecs[id], value, null);
        }
    }

    /// <summary>A reference to a closure of which only what <paramref name="use"/> reads is needed.</summary>
    internal void WriteClosure(object? closure, ClosureUse? use)
    {
        if (closure is null)
        {
            WriteByte(0);
            return;
        }

        var id = WriteObject(closure);
        if (_codecs[id].IsClosure)
        {
            Need((ClosureCodec)_codecs[id], closure, use);
        }
    }

    /// <summary>A reference from a closure to another whose needed fields have been noted already.</summary>
    internal void WriteNestedClosure(object? closure)
    {
        if (closure is null)
        {
            WriteByte(0);
            return;
        }

        WriteObject(closure);
    }

    /// <summary>A large array of which only a memory is seen; null when it goes into the payload.</summary>
    internal object? StandInFor<T>(T[] array, bool isWritable)
    {
        if (Arrays is null || codecs.StoredFor(typeof(T[])) is null || !Arrays.Takes(ArrayView.ByteLengthOf(array)))
        {
            return null;
        }

        if (!_standIns.TryGetValue((array, isWritable), out var standIn))
        {
            _standIns[(array, isWritable)] = standIn = new MemoryStandIn<T>(array, isWritable);
        }

        return standIn;
    }

    internal void WriteMethod(DelegatePlan plan)
    {
        if (_methods.TryGetValue(plan, out var known))
        {
            WriteVarUInt((ulong)known);
            return;
        }

        _methods[plan] = _methods.Count;
        WriteVarUInt((ulong)_methods.Count - 1);
        WriteBlob(plan.Description);
    }

    /// <summary>Has an object's contents written later.</summary>
    internal void Enqueue(int id) => _queue.Add(id);

    internal void EnqueueLate(int id)
    {
        var state = new LateState(id);
        _lateById.Add(id, state);
        _late.Push(state);
    }

    /// <summary>Writes the contents of everything announced so far: who constructs an object from others calls it first.</summary>
    internal void DrainQueue()
    {
        var before = _current;
        while (_queueHead < _queue.Count)
        {
            var id = _queue[_queueHead++];
            _current = id;
            _codecs[id].WriteBody(this, _objects[id]!);
        }

        _current = before;
    }

    internal void DrainNested()
    {
        Enter();
        DrainQueue();
        _depth--;
    }

    /// <summary>Writes all contents that are still due. The end of a payload's graph.</summary>
    internal void Complete()
    {
        while (true)
        {
            DrainQueue();
            if (_unwritten.TryDequeue(out var closure))
            {
                closure.IsQueued = false;
                WriteByte(Closure);
                WriteVarUInt((ulong)closure.Id);
                _current = closure.Id;
                closure.Codec.WriteFields(this, closure);
                continue;
            }

            if (!_late.TryPeek(out var late))
            {
                WriteByte(End);
                return;
            }

            if (late.IsStarted)
            {
                _late.Pop();
                if (!late.IsDone)
                {
                    late.IsDone = true;
                    WriteByte(LateFill);
                    WriteVarUInt((ulong)late.Id);
                }

                continue;
            }

            late.IsStarted = true;
            WriteByte(LateBody);
            WriteVarUInt((ulong)late.Id);
            _current = late.Id;
            _inLateBody = true;
            _codecs[late.Id].WriteBody(this, _objects[late.Id]!);
            _inLateBody = false;
        }
    }

    /// <summary>The way from the payload's root to what was refused.</summary>
    internal string PathTo(RefusedException refusal)
    {
        var steps = new List<string>();
        var child = refusal.Offender;
        var childType = refusal.Type;
        var holder = _current;
        while (holder > 0)
        {
            steps.AddRange(GraphPath.Between(_objects[holder]!, child, childType).Reverse());
            child = _objects[holder];
            childType = null;
            holder = _parents[holder];
        }

        if (holder < 0)
        {
            steps.Add(_roots[-holder - 1]);
        }

        steps.Reverse();
        if (refusal.Type is { } type)
        {
            steps.Add(GraphPath.NameOf(type));
        }

        return string.Join(" → ", steps.Where(step => step.Length > 0));
    }

    /// <summary>Empties the writer for another payload; nothing of this one stays referenced.</summary>
    internal void Reset()
    {
        Clear();
        if (_objects.Length > KeptObjects)
        {
            _objects = new object?[64];
            _codecs = new ObjectCodec[64];
            _parents = new int[64];
            _slots = new int[256];
            _queue.Clear();
            _queue.TrimExcess();
        }
        else if (_count > 0)
        {
            Array.Clear(_objects, 1, _count);
            Array.Clear(_codecs, 1, _count);
            Array.Clear(_slots);
        }

        _queue.Clear();
        if (_count > 0 || _methods.Count > 0)
        {
            _entries.Clear();
            _storedEntries.Clear();
            _standIns.Clear();
            _methods.Clear();
            _closures.Clear();
            _unwritten.Clear();
            _late.Clear();
            _lateById.Clear();
            _constructing.Clear();
        }

        _roots.Clear();
        _lastType = null;
        _lastEntry = null!;
        _count = _queueHead = _current = _depth = _nextType = 0;
        _root = -1;
        _inLateBody = false;
        Charged = 0;
        Arrays = null;
    }

    /// <summary>Notes that of a closure the fields in <paramref name="use"/> are read; all of them when it is null.</summary>
    internal void Need(ClosureCodec codec, object closure, ClosureUse? use)
    {
        if (!_closures.TryGetValue(closure, out var state))
        {
            _closures[closure] = state = new ClosureState(codec, closure);
        }

        if (!state.Uses.Add(use ?? ClosureUse.Everything))
        {
            return;
        }

        var grown = false;
        var fields = codec.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            if (!state.Needed[i] && (use is null || use.Reads(codec.Definition, fields[i].Name)))
            {
                state.Needed[i] = grown = true;
            }
        }

        // Before the closures around it: writing this one is what announces them.
        if (grown && !state.IsQueued)
        {
            state.IsQueued = true;
            _unwritten.Enqueue(state);
        }

        for (var i = 0; i < fields.Length; i++)
        {
            if ((use is null || use.Reads(codec.Definition, fields[i].Name)) && codec.NestedClosure(i, closure) is { } nested)
            {
                Need((ClosureCodec)codecs.ObjectFor(nested.GetType()), nested, use);
            }
        }
    }

    internal void Enter()
    {
        if (++_depth > DeepestNesting || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new RefusedException(null, $"is constructed from itself or nested more than {DeepestNesting} deep (delegates over delegates, frozen collections in keys)", null);
        }
    }

    private int WriteObject(object value)
    {
        var slot = FindSlot(value);
        var id = _slots[slot];
        if (id != 0)
        {
            if (_constructing.Count > 0 && _constructing.Contains(id))
            {
                throw new RefusedException(value.GetType(), "is constructed from something that refers back to it", value);
            }

            WriteVarUInt((ulong)id);
            if (_inLateBody && _lateById.TryGetValue(id, out var late) && !late.IsStarted)
            {
                // Part of a key: it has to be whole before the table that is being written.
                _late.Push(late);
            }

            return id;
        }

        var type = value.GetType();
        if (type != _lastType)
        {
            _lastEntry = EntryOf(type, value);
            _lastType = type;
        }

        var entry = Arrays is not null && value is Array array && StoredEntryOf(type, array) is { } stored ? stored : _lastEntry;
        var codec = entry.Codec;
        id = Add(value, slot, codec);
        WriteVarUInt((ulong)id);
        if (entry.Index < 0)
        {
            entry.Index = _nextType++;
            WriteVarUInt((ulong)entry.Index);
            WriteBlob(codec.DescriptionFor(codecs));
        }
        else
        {
            WriteVarUInt((ulong)entry.Index);
        }

        if (codec.IsClosure)
        {
            if (!_closures.TryGetValue(value, out var state))
            {
                _closures[value] = state = new ClosureState((ClosureCodec)codec, value);
            }

            state.Id = id;
        }

        if (!codec.IsConstructed)
        {
            codec.WriteNew(this, value, id);
            return id;
        }

        var before = _current;
        _current = id;
        Enter();
        _constructing.Add(id);
        codec.WriteNew(this, value, id);
        _constructing.RemoveAt(_constructing.Count - 1);
        _depth--;
        _current = before;
        return id;
    }

    private Entry EntryOf(Type type, object value)
    {
        if (!_entries.TryGetValue(type, out var entry))
        {
            ObjectCodec codec;
            try
            {
                codec = typeof(Exception).IsAssignableFrom(type) && !InException ? codecs.ExceptionRoot : codecs.ObjectFor(type);
            }
            catch (RefusedException refusal) when (refusal.Offender is null)
            {
                throw new RefusedException(refusal.Type, refusal.Reason, refusal.Type == type ? value : null) { Remedy = refusal.Remedy };
            }

            _entries[type] = entry = new Entry(codec);
        }

        return entry;
    }

    private Entry? StoredEntryOf(Type type, Array array)
    {
        if (!_storedEntries.TryGetValue(type, out var entry))
        {
            if (codecs.StoredFor(type) is not { } codec)
            {
                return null;
            }

            _storedEntries[type] = entry = new Entry(codec);
        }

        return Arrays!.Takes(ArrayView.ByteLengthOf(array)) && ArrayView.TryOf(array) is not null ? entry : null;
    }

    private int FindSlot(object value)
    {
        var mask = _slots.Length - 1;
        var slot = (int)((uint)RuntimeHelpers.GetHashCode(value) * 2654435769u >> 8) & mask;
        while (_slots[slot] is not 0 and var id && !ReferenceEquals(_objects[id], value))
        {
            slot = (slot + 1) & mask;
        }

        return slot;
    }

    private int Add(object value, int slot, ObjectCodec codec)
    {
        var id = ++_count;
        if (id == _objects.Length)
        {
            Array.Resize(ref _objects, 2 * id);
            Array.Resize(ref _codecs, 2 * id);
            Array.Resize(ref _parents, 2 * id);
        }

        _objects[id] = value;
        _codecs[id] = codec;
        _parents[id] = _current;
        _slots[slot] = id;
        if (2 * id > _slots.Length)
        {
            _slots = new int[4 * _slots.Length];
            for (var i = 1; i <= id; i++)
            {
                _slots[FindSlot(_objects[i]!)] = i;
            }
        }

        return id;
    }

    private sealed class Entry(ObjectCodec codec)
    {
        internal ObjectCodec Codec { get; } = codec;

        internal int Index { get; set; } = -1;
    }

    private sealed class LateState(int id)
    {
        internal int Id { get; } = id;

        internal bool IsStarted { get; set; }

        internal bool IsDone { get; set; }
    }
}
